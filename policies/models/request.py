"""Changes of a policy that are asked for before they are made."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from policies.models.line import Line
from policies.models.promise import Certification
from policies.models.version import PolicyVersion


class RequestState(models.TextChoices):
    """Where a change stands."""

    OPEN = "open", "Waits for approval"
    APPROVED = "approved", "Approved, waits for its time"
    APPLIED = "applied", "Applied"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    # The policy that it was made against is no longer in force.
    STALE = "stale", "Overtaken"


PENDING = (RequestState.OPEN, RequestState.APPROVED)


class ChangeRequest(models.Model):
    """A policy change with its reason and its evidence, frozen when it was asked for."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="change_requests")
    base = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    # The values of `policies.changes.Draft`.
    draft = models.JSONField()
    reason = models.CharField(max_length=500)
    certification = models.ForeignKey(Certification, on_delete=models.PROTECT, null=True, related_name="+")
    # What a replay over the past said: shares, hours, errors with intervals.
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    approvals_needed = models.PositiveSmallIntegerField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    apply_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Why it was rejected, withdrawn or could not be applied.
    note = models.CharField(max_length=500, blank=True)
    result = models.OneToOneField(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="request")
    renews = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    # The version whose values it would bring back, where it is a step back.
    restores = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(apply_at=None) | Q(expires_at__gte=F("apply_at")),
                name="a_request_expires_after_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=RequestState.APPLIED) | Q(result__isnull=False), name="an_applied_request_has_a_result"
            ),
        ]
        indexes = [models.Index(fields=["state", "apply_at"], name="request_by_state")]

    def __str__(self) -> str:
        return f"request {self.pk} ({self.state})"


class Approval(models.Model):
    """Somebody else's agreement to a change."""

    request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="given")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    comment = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "by"], name="one_approval_a_person")]

    def __str__(self) -> str:
        return f"approval by {self.by}"
