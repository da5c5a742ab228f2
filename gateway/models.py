"""Items and what became of them. Their state is written by `gateway.lifecycle` alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from gateway import indexes
from gateway.ids import uuid7
from gateway.token_models import ApiToken as ApiToken
from gateway.token_models import IdempotencyRecord as IdempotencyRecord
from gateway.webhooks.models import Delivery as Delivery
from gateway.webhooks.models import Endpoint as Endpoint
from inference.models import ModelVersion
from policies.decide import Reason, Route
from policies.models import Line, PolicyVersion

REASONS = [(reason.value, reason.value) for reason in Reason]


class ItemState(models.TextChoices):
    """Where an item stands for the outside."""

    DECIDED = "decided", "Decided"
    REFERRED = "referred", "With people"
    # Nobody decided in time and the policy says hold: the item waits, and still nothing passed.
    HELD = "held", "Held"


class DecidedBy(models.TextChoices):
    """Who stands behind a decision."""

    MODEL = "model", "Model"
    PERSON = "person", "Person"
    FAIL_SAFE = "fail_safe", "Fail-safe"
    # Labelled elsewhere before it came here.
    IMPORT = "import", "Import"


class Item(models.Model):
    """One unit to decide on, with one media file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="items", db_index=False)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    # The token's name, or who imported it.
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200, blank=True)
    # The external id again where the line wants each only once, else null: a constraint cannot look at the line.
    unique_external_id = models.CharField(max_length=200, null=True, editable=False)
    metadata = models.JSONField(default=dict)

    media_digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=40)
    media_bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    # Image statistics for drift: mean and deviation of grey, log variance of the Laplacian.
    brightness = models.FloatField(null=True)
    contrast = models.FloatField(null=True)
    sharpness = models.FloatField(null=True)
    # False: the photo goes as soon as the decision is final, and nothing is ever trained on it.
    consent = models.BooleanField(default=True)
    # Since when the photo is no longer kept for this item. Its bytes stay while another item has the same.
    photo_deleted_at = models.DateTimeField(null=True)

    # What the policy said on arrival, and the draw it said it with.
    draw = models.FloatField()
    in_audit = models.BooleanField()
    route = models.CharField(max_length=10, choices=[(route.value, route.value) for route in Route])
    reason = models.CharField(max_length=20, choices=REASONS)

    # Where the item stands now; moved by compare-and-set on `revision`, the number of its standing decision.
    state = models.CharField(max_length=10, choices=ItemState)
    answer = models.CharField(max_length=40, blank=True)
    decided_by = models.CharField(max_length=10, choices=DecidedBy, blank=True)
    decided_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["line", "unique_external_id"], name="one_item_an_external_id"),
            models.UniqueConstraint(
                fields=["line", "media_digest"], condition=Q(decided_by=DecidedBy.IMPORT), name="imported_once_a_line"
            ),
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="item_state_is_known"),
            models.CheckConstraint(condition=~Q(state=ItemState.DECIDED) | ~Q(answer=""), name="a_decided_item_has_an_answer"),
            models.CheckConstraint(condition=Q(draw__gte=0, draw__lt=1), name="draw_is_in_the_unit_interval"),
        ]
        indexes = indexes.ITEM

    def __str__(self) -> str:
        return self.external_id or str(self.id)


class Role(models.TextChoices):
    """The part a model version plays on a line."""

    CHAMPION = "champion", "Champion"
    CHALLENGER = "challenger", "Challenger"


class Prediction(models.Model):
    """What one model version, or the caller's own model, said about one item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="predictions", db_index=False)
    role = models.CharField(max_length=10, choices=Role)
    # Null where the caller brought the prediction.
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    answer = models.CharField(max_length=40)
    score = models.FloatField()
    probabilities = models.JSONField()
    regions = models.JSONField(default=list)
    # Rows and columns of the heatmap and its bytes, one a cell, 0 to 255 for 0 to 1.
    heatmap_rows = models.PositiveSmallIntegerField(default=0)
    heatmap_columns = models.PositiveSmallIntegerField(default=0)
    heatmap = models.BinaryField(null=True)
    latency_ms = models.FloatField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "model_version"], name="one_prediction_a_model_and_item"),
            models.UniqueConstraint(fields=["item"], condition=Q(role=Role.CHAMPION), name="one_routing_prediction_an_item"),
        ]
        indexes = indexes.PREDICTION

    def __str__(self) -> str:
        return f"{self.answer} {self.score:.3f}"


class Decision(models.Model):
    """The answer that counts for an item from its moment on. A correction is a new row with the next number."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    number = models.PositiveIntegerField()
    answer = models.CharField(max_length=40)
    decided_by = models.CharField(max_length=10, choices=DecidedBy)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=20, choices=REASONS)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["item", "number"]
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="one_decision_a_number")]
        indexes = indexes.DECISION

    def __str__(self) -> str:
        return f"{self.answer} by {self.decided_by}"


class ReferralState(models.TextChoices):
    """Whether people are still asked."""

    OPEN = "open", "Open"
    SETTLED = "settled", "Settled"
    CANCELLED = "cancelled", "Cancelled"


class Referral(models.Model):
    """A request for people to look at an item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="referrals")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="referrals", db_index=False)
    reason = models.CharField(max_length=20, choices=REASONS)
    # Whether the reviewer must not see the prediction, nor a decision made from it.
    blind = models.BooleanField()
    priority = models.SmallIntegerField(default=0)
    # Judgements wanted before it is settled; an unsure answer does not count as one.
    wanted = models.PositiveSmallIntegerField(default=1)
    # The probability with which the item was drawn for people.
    probability = models.FloatField()
    note = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=ReferralState, default=ReferralState.OPEN)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "reason"], condition=Q(state=ReferralState.OPEN), name="one_open_referral_a_reason"
            ),
            models.CheckConstraint(condition=Q(probability__gt=0, probability__lte=1), name="referral_probability_is_a_share"),
        ]
        indexes = indexes.REFERRAL

    def __str__(self) -> str:
        return f"{self.reason} ({self.state})"


class Deployment(models.Model):
    """Which model version served which line in which role, from when to when."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="deployments")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments")
    role = models.CharField(max_length=10, choices=Role)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["line", "role"], condition=Q(ended_at=None), name="one_model_a_role_and_line"),
        ]

    def __str__(self) -> str:
        return f"{self.model_version} as {self.role}"


class Event(models.Model):
    """One move, written with it in the same transaction and never changed."""

    at = models.DateTimeField()
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="events", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, null=True, related_name="events", db_index=False)
    # What happened, as noun.verb: item.decided, referral.opened, judgement.given.
    kind = models.CharField(max_length=40)
    # A state, a class or the name of a model.
    from_state = models.CharField(max_length=80, blank=True)
    to_state = models.CharField(max_length=80, blank=True)
    # Who did it: user:ines, token:camera-1, model:inspection-…, system:deadline.
    actor = models.CharField(max_length=120)
    reason = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["item", "id"], name="event_by_item"),
            models.Index(fields=["line", "-id"], name="event_by_line"),
            # What is about the line itself: a handful among the events of its items.
            models.Index(fields=["line", "id"], condition=Q(item=None), name="event_of_the_line"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"
