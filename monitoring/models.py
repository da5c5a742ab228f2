"""The demo's conveyor and its truths; what is watched, what went off, what is to be looked at again."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gateway.models import Item
from inference.models import ModelVersion
from policies.models import Line, PolicyVersion


class Conveyor(models.Model):
    """What the manager set the demo conveyor of a line to."""

    line = models.OneToOneField(Line, on_delete=models.CASCADE, primary_key=True, related_name="conveyor")
    running = models.BooleanField(default=False)
    # Phones a second, and the share of them with a defect.
    rate = models.FloatField(default=1.0)
    defects = models.FloatField(default=0.1)
    # The share of the normal light.
    darker = models.FloatField(default=1.0)
    # Moves while a conveyor process is there to follow the switch.
    heartbeat_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "running" if self.running else "stopped"


class KnownTruth(models.Model):
    """What the demo knows about an item that it made itself, to show how well line and inspectors do."""

    item = models.OneToOneField(Item, on_delete=models.CASCADE, primary_key=True, related_name="known_truth")
    truth = models.CharField(max_length=40)
    # 0 (cannot be seen) to 1 (obvious); 0 for a good phone.
    visibility = models.FloatField()

    def __str__(self) -> str:
        return self.truth


class Quarter(models.Model):
    """A quarter of an hour of a line, summed up (`monitoring/summing.py`). One in which nothing arrived has no row."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="quarters", db_index=False)
    start = models.DateTimeField()
    arrived = models.PositiveIntegerField()
    # Of those, what the model decided on arrival.
    automated = models.PositiveIntegerField()
    # [decided by, route, state, answer, number] of the items that arrived, as they are now.
    groups = models.JSONField()
    # {version: {answer: [fine bin of the score, number, …]}} of what routed them; "" is the caller's own model. Flat, as one
    # list a bin takes five times as long to read.
    scores = models.JSONField()
    # The fields of `monitoring.cells.Cell`: what people said of the items that arrived, against what the model said.
    cells = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "start"], name="a_quarter_is_summed_up_once")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M}"


class Summed(models.Model):
    """Which quarters of a line are summed up, all from `since` to before `until`, and up to which event they are true."""

    line = models.OneToOneField(Line, on_delete=models.CASCADE, primary_key=True, related_name="summed")
    since = models.DateTimeField()
    until = models.DateTimeField()
    event = models.BigIntegerField()
    # Where the last run took long: before this no other begins.
    rest_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}"


class Watch(models.TextChoices):
    """What a guardrail watches."""

    ERRORS = "errors", "Audited errors of a class"
    UNAVAILABLE = "unavailable", "Model without an answer"
    DRIFT = "drift", "Photos unlike before"
    QUEUE = "queue", "Referrals past their due time"
    AGREEMENT = "agreement", "Agreement in shadow"


class Action(models.TextChoices):
    """What an alarm does besides telling people. None of them raises automation."""

    NOTIFY = "notify", "Tell people"
    DEMOTE = "demote", "Tell people and turn the dial down a notch"


class Guardrail(models.Model):
    """How a line is watched, besides the audited errors, which are always watched where a limit is stated."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="guardrails")
    watch = models.CharField(max_length=12, choices=Watch)
    action = models.CharField(max_length=8, choices=Action)
    # A share of items, or of overdue referrals; for agreement the least share; for drift the probability of a false alarm.
    level = models.FloatField()

    class Meta:
        ordering = ["line", "watch"]
        constraints = [
            models.UniqueConstraint(fields=["line", "watch"], name="one_guardrail_a_watch"),
            models.CheckConstraint(condition=models.Q(level__gt=0, level__lte=1), name="guardrail_level_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.watch} at {self.level:g}"


class Alarm(models.Model):
    """A guardrail went off: what it saw, and what it did."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="alarms")
    watch = models.CharField(max_length=12, choices=Watch)
    # The class whose errors they are; empty where the watch is not of a class.
    label = models.CharField(max_length=40, blank=True)
    # Which share of it the limit holds down: a `policies.models.LimitForm`, or empty as above.
    form = models.CharField(max_length=10, blank=True)
    # The moment from which its evidence counts: an alarm never counts again what one before it counted.
    since = models.DateTimeField()
    action = models.CharField(max_length=8, choices=Action)
    # The policy in force when it went off, and the one it was lowered to.
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    demoted_to = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # The figures behind it, as they were: n, k, limit, e-value, curve; features and p-values; shares.
    evidence = models.JSONField()
    at = models.DateTimeField()
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Two watchers that see the same evidence at once raise one alarm.
            models.UniqueConstraint(fields=["policy", "watch", "label", "form", "since"], name="one_alarm_an_evidence"),
        ]
        indexes = [
            # The banner asks for these on every page.
            models.Index(fields=["line", "-id"], condition=models.Q(seen_at=None), name="alarm_unseen"),
        ]

    def __str__(self) -> str:
        return f"{self.watch} {self.label} on {self.line}"


class RecallState(models.TextChoices):
    """What was done about the siblings of a wrong decision."""

    OPEN = "open", "Waits for a manager"
    SENT = "sent", "Sent to review"
    DISMISSED = "dismissed", "Left as it is"


class Recall(models.Model):
    """A confirmed wrong decision of the model, and with it the decisions of its kind since the last clean audit."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="recalls")
    # The item whose decision was found wrong, and what the model had decided.
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="recall")
    label = models.CharField(max_length=40)
    truth = models.CharField(max_length=40)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # From the last clean audit of this class by this model to the moment the error was found.
    since = models.DateTimeField(null=True)
    until = models.DateTimeField()
    state = models.CharField(max_length=10, choices=RecallState, default=RecallState.OPEN)
    sent = models.PositiveIntegerField(default=0)
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    handled_at = models.DateTimeField(null=True)
    # Why it was left as it is.
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["line", "-id"], condition=models.Q(state=RecallState.OPEN), name="recall_open"),
        ]

    def __str__(self) -> str:
        return f"recall after {self.item_id}"
