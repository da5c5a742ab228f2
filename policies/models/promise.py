"""What a line promises, and the proof that a threshold keeps it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from policies.models.line import LabelClass, Line


class LimitForm(models.TextChoices):
    """Which share a limit holds down; the page names the denominator."""

    ESCAPE = "escape", "Of what is decided as this class"
    OVERKILL = "overkill", "Of what truly is this class"


class Limit(models.Model):
    """At most `epsilon` of the form's denominator may be decided wrongly. Changed by `policies.promises` alone."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="limits")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="limits")
    form = models.CharField(max_length=10, choices=LimitForm)
    epsilon = models.FloatField()

    class Meta:
        ordering = ["label_class__position", "form"]
        constraints = [
            models.UniqueConstraint(fields=["label_class", "form"], name="one_limit_a_form_and_class"),
            models.CheckConstraint(condition=Q(epsilon__gt=0, epsilon__lt=1), name="a_limit_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.form} of {self.label_class} at most {self.epsilon:g}"


class Certification(models.Model):
    """One working out of a line's limits over its audited items: thresholds, certificates, shortages. Immutable."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="certifications")
    # By name and digest: what should happen knows no model.
    model_name = models.CharField(max_length=80)
    weights_digest = models.CharField(max_length=64)
    # The line's delta, and the number of this look at the model, which has its part of it: delta / (look (look + 1)).
    delta = models.FloatField()
    look = models.PositiveIntegerField(default=1)
    # {class key: least probability}; classes that nothing proves are absent.
    thresholds = models.JSONField()
    # The audited items it rests on: how many, how many of them the thresholds decide alone, from when to when, and the SHA-256
    # of their ids, scores and truths.
    audits = models.PositiveIntegerField()
    automated = models.PositiveIntegerField(default=0)
    sample_from = models.DateTimeField(null=True)
    sample_to = models.DateTimeField(null=True)
    data_digest = models.CharField(max_length=64)
    # Other items of the stream whose scores gave the thresholds to try; 0 where it was the audited ones' own.
    reference = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"certification {self.pk} of {self.model_name}"


class Certificate(models.Model):
    """The proof of one limit, or, where `bound` is null, what the data lack for it."""

    certification = models.ForeignKey(Certification, on_delete=models.CASCADE, related_name="certificates")
    label = models.CharField(max_length=40)
    form = models.CharField(max_length=10, choices=LimitForm)
    epsilon = models.FloatField()
    # {class key: least probability} that this limit alone allows, for the classes that it speaks about.
    thresholds = models.JSONField(default=dict)
    # The part of delta at which it was tested, the audited items counted, the wrong ones among them, the exact upper bound.
    level = models.FloatField(null=True)
    n = models.PositiveIntegerField()
    k = models.PositiveIntegerField(null=True)
    bound = models.FloatField(null=True)
    # Audited items that would be enough if all goes on as seen; null where none would.
    need = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.form} of {self.label}: {self.k} of {self.n}"

    @property
    def certified(self) -> bool:
        """Whether it is a proof."""
        return self.bound is not None

    @property
    def missing(self) -> int | None:
        """How many more audited items it takes."""
        return None if self.need is None else max(1, self.need - self.n)
