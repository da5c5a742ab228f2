"""A line, its label book and the history of its policies."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from policies.decide import Rule
from policies.modes import Mode


def make_secret() -> str:
    """Return the line's secret, from which the draws of its items are made."""
    return secrets.token_hex(16)


class Reveal(models.TextChoices):
    """When a reviewer of a referral that is not blind sees the prediction."""

    BLIND = "blind", "Never"
    AFTER = "after", "After the first look"
    AT_ONCE = "at_once", "At once"


class Line(models.Model):
    """A stream of items with one question."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    question = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, default="inspection")
    secret = models.CharField(max_length=64, default=make_secret)
    # Whether an external id (a serial number) may come only once.
    unique_external_ids = models.BooleanField(default=False)
    reveal = models.CharField(max_length=10, choices=Reveal, default=Reveal.AFTER)
    # Whether the console keeps the zoom from one item to the next: right for parts that always lie the same way.
    keep_zoom = models.BooleanField(default=False)
    # New labels after which a retraining starts by itself; 0 switches that off.
    retrain_after_labels = models.PositiveIntegerField(default=0)
    # Hours after which a retraining starts by itself where there are new labels; 0 switches that off.
    retrain_after_hours = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class LabelClass(models.Model):
    """One possible answer of a line, with its entry in the label book."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="classes")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    is_negative = models.BooleanField(default=False)
    hotkey = models.CharField(max_length=1)
    definition = models.TextField(blank=True)
    examples = models.TextField(blank=True, help_text="What counts, a line each.")
    counter_examples = models.TextField(blank=True, help_text="What looks like it and does not count, a line each.")

    class Meta:
        ordering = ["line", "position"]
        constraints = [
            models.UniqueConstraint(fields=["line", "key"], name="one_key_a_line"),
            models.UniqueConstraint(fields=["line", "position"], name="one_position_a_line"),
            models.UniqueConstraint(fields=["line", "hotkey"], name="one_hotkey_a_line"),
            models.UniqueConstraint(fields=["line"], condition=Q(is_negative=True), name="one_negative_a_line"),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """One immutable version of a line's policy. Only `superseded_at` is ever written again, once."""

    HOLD = "hold"

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    mode = models.CharField(max_length=12, choices=[(mode.value, mode.value) for mode in Mode])
    thresholds = models.JSONField(default=dict)
    audit_rate = models.FloatField(default=0.05)
    # Blind judgements wanted for an item of the audit sample.
    overlap = models.PositiveSmallIntegerField(default=1)
    # Seconds within which an item should be decided; 0 means no limit.
    due_seconds = models.PositiveIntegerField(default=0)
    # What an item gets that nobody decided in time: `hold`, or a defect class. Never the negative.
    fail_safe = models.CharField(max_length=40, default=HOLD)
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    # The version whose values this one took over, where it is a rollback.
    restores = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["line", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["line", "number"], name="one_policy_number_a_line"),
            models.UniqueConstraint(fields=["line"], condition=Q(superseded_at=None), name="one_active_policy_a_line"),
            models.CheckConstraint(condition=Q(mode__in=[mode.value for mode in Mode]), name="policy_mode_is_known"),
            models.CheckConstraint(condition=Q(audit_rate__gte=0, audit_rate__lte=1), name="audit_rate_is_a_share"),
            models.CheckConstraint(condition=Q(overlap__gte=1), name="at_least_one_judgement"),
            models.CheckConstraint(
                condition=Q(superseded_at=None) | Q(superseded_at__gte=F("created_at")), name="policy_ends_after_its_start"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number} {self.mode}"

    @property
    def rule(self) -> Rule:
        """The frozen rule that `decide` takes."""
        return Rule(mode=Mode(self.mode), thresholds=self.thresholds, audit_rate=self.audit_rate)
