"""A line and its label book."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q


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
    # All limits hold together with confidence 1 - delta; a false alarm of the guardrail has a probability of alpha at most.
    delta = models.FloatField(default=0.05)
    alpha = models.FloatField(default=0.05)
    # People other than the requester who must agree before automation grows.
    approvals = models.PositiveSmallIntegerField(default=0)
    # Days after which photos are deleted; null keeps them. Decisions and statistics always stay.
    photo_days = models.PositiveIntegerField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=Q(delta__gt=0, delta__lt=1), name="delta_is_a_probability"),
            models.CheckConstraint(condition=Q(alpha__gt=0, alpha__lt=1), name="alpha_is_a_probability"),
        ]

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
