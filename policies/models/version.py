"""The history of a line's policies."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from policies.decide import Rule
from policies.models.line import Line
from policies.modes import Mode


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
