"""Who is told of what, and what became of telling them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from gateway.ids import uuid7
from policies.models import Line


class Endpoint(models.Model):
    """Another system's address, and which events it wants."""

    name = models.CharField(max_length=100, unique=True)
    url = models.CharField(max_length=500)
    # Null means every line.
    line = models.ForeignKey(Line, on_delete=models.PROTECT, null=True, blank=True, related_name="endpoints")
    types = models.JSONField()
    # Kept in the clear, since every message is signed with it; shown once to people.
    secret = models.CharField(max_length=100)
    previous_secret = models.CharField(max_length=100, blank=True)
    # Until then messages are signed with both secrets.
    previous_until = models.DateTimeField(null=True, blank=True)
    # The last event that was looked at on its behalf; moved by compare-and-set.
    position = models.BigIntegerField()
    # Since when nothing got through; null where the last message did.
    failing_since = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_why = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    """Where a message to an endpoint stands."""

    PENDING = "pending", "On its way"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class Delivery(models.Model):
    """One message to one endpoint: it is sent until it is taken, refused, or out of attempts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    # Null for a test message, and where the item and its events were deleted since.
    event = models.ForeignKey("gateway.Event", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    type = models.CharField(max_length=40)
    # The very text that is signed and sent: every attempt sends the same.
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When it is to be sent; while it is being sent, when the claim on it ends.
    next_at = models.DateTimeField()
    # Who sends it now: the fencing token without which an outcome is not written.
    claim = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # What came of the last attempt. Without a status nobody answered, and the error says why.
    last_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    last_answer = models.CharField(max_length=500, blank=True)
    last_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="one_delivery_an_event_and_endpoint")]
        indexes = [
            models.Index(fields=["endpoint", "next_at"], condition=Q(state=DeliveryState.PENDING), name="delivery_due"),
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
            models.Index(fields=["endpoint", "state", "-id"], name="delivery_by_state"),
            # For forgetting: what ended, oldest first.
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="delivery_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.endpoint_id} ({self.state})"

    @property
    def message_id(self) -> str:
        """The `webhook-id`: the same for every attempt and redelivery, so that a receiver can tell a repetition."""
        return f"msg_{self.id.hex}"
