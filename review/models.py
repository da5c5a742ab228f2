"""What people do with referrals, and what becomes of their judgements."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from gateway.models import Item, Referral
from inference.models import ModelVersion
from policies.models import LabelClass, Line

# A UUID with its dashes.
PAGE_LENGTH = 36


class Standing(models.Manager[Any]):
    """The rows that none supersedes: what people say now."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Return those. Asked for as what a join does not find, PostgreSQL expects next to none of them, and reads them all."""
        later = self.model._base_manager.filter(supersedes=OuterRef("pk"))
        return super().get_queryset().filter(~Exists(later))


class ClaimEnd(models.TextChoices):
    """How a claim ended."""

    ANSWERED = "answered", "Answered"
    SKIPPED = "skipped", "Skipped"
    RELEASED = "released", "Given back"
    EXPIRED = "expired", "Expired"


class Claim(models.Model):
    """A reviewer's lease on a referral. Its id is the fencing token: a later claim on the same referral has a higher one.

    `page` is the second fence, between two pages of one person: what a page says too late about a claim that another page of
    theirs has taken over changes nothing.
    """

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="claims")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims", db_index=False)
    # The loaded page that shows it, by the random name it gave itself; empty for a client that has no pages.
    page = models.CharField(max_length=PAGE_LENGTH, blank=True, default="")
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When the reviewer was shown the prediction; null means not at all.
    revealed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=ClaimEnd, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral"], condition=Q(ended_at=None), name="one_open_claim_a_referral"),
        ]
        indexes = [
            models.Index(fields=["reviewer", "referral"], name="claim_by_reviewer"),
            # What somebody holds now, and what runs out next: a handful, however many claims there ever were.
            models.Index(fields=["reviewer"], condition=Q(ended_at=None), name="claim_held"),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="claim_expiry"),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk}"


class LeftPage(models.Model):
    """A loaded page of the console that its reviewer has left, by the name it gave itself (`review/left_pages.py`)."""

    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="left_pages", db_index=False)
    page = models.CharField(max_length=PAGE_LENGTH)
    left_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reviewer", "page"], name="a_page_is_left_once")]

    def __str__(self) -> str:
        return self.page


class Judgement(models.Model):
    """One reviewer's answer. A correction is a new row that supersedes the old one."""

    UNSURE = ""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="judgements")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="judgements", db_index=False)
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="judgements", db_index=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="judgements", db_index=False)
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="judgements", db_index=False)
    # A class of the line, or empty for unsure.
    answer = models.CharField(max_length=40, blank=True)
    regions = models.JSONField(default=list)
    comment = models.CharField(max_length=500, blank=True)
    # Milliseconds in front of the item, idle and hidden time left out.
    active_ms = models.PositiveIntegerField(default=0)
    saw_prediction = models.BooleanField()
    blind = models.BooleanField()
    idempotency_key = models.CharField(max_length=64)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    created_at = models.DateTimeField()

    objects: models.Manager[Judgement] = models.Manager()
    standing = Standing()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "idempotency_key"], name="one_judgement_a_key"),
        ]
        indexes = [
            models.Index(fields=["reviewer", "-id"], name="judgement_by_reviewer"),
            models.Index(fields=["line", "-id"], name="judgement_by_line"),
            models.Index(fields=["line", "reviewer", "-id"], name="judgement_on_a_line"),
            # Whether somebody has judged an item already: asked of every candidate for the next one.
            models.Index(fields=["item", "reviewer"], name="judgement_of_an_item"),
            models.Index(fields=["line", "created_at"], name="judgement_by_time"),
        ]

    def __str__(self) -> str:
        return self.answer or "unsure"


class LabelSource(models.TextChoices):
    """Where a label comes from."""

    JUDGEMENT = "judgement", "Judgement"
    IMPORT = "import", "Import"


class Label(models.Model):
    """The truth about an item as people settled it. A correction is a new row with the next place in the feed."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="labels", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="labels")
    # The place in the line's feed, given in the order of commits: a reader that has n has seen everything up to n.
    sequence = models.PositiveBigIntegerField()
    answer = models.CharField(max_length=40)
    regions = models.JSONField(default=list)
    # Digest of a mask picture in the media store, white where the defect is.
    mask_digest = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=10, choices=LabelSource)
    # Whether nobody who judged it had seen a prediction: only such labels may judge a model.
    blind = models.BooleanField()
    # Whether somebody who judged it had seen the prediction.
    seen = models.BooleanField(default=False)
    in_audit = models.BooleanField()
    # The probability with which this item came to be labelled; null where nobody knows it (imports).
    inclusion_probability = models.FloatField(null=True)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    created_at = models.DateTimeField()

    objects: models.Manager[Label] = models.Manager()
    standing = Standing()

    class Meta:
        ordering = ["line", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["line", "sequence"], name="one_label_a_place_in_the_feed"),
            models.UniqueConstraint(fields=["item"], condition=Q(supersedes=None), name="one_first_label_an_item"),
        ]
        indexes = [
            models.Index(fields=["line", "created_at"], name="label_by_time"),
            # Blind labels: those that may judge a model, newest item first.
            models.Index(fields=["line", "-item"], condition=Q(blind=True), name="label_blind"),
        ]

    def __str__(self) -> str:
        return self.answer


class LabelFeed(models.Model):
    """The end of a line's label feed. Its row is locked by who appends, so that places are given in the order of commits."""

    line = models.OneToOneField(Line, on_delete=models.PROTECT, primary_key=True, related_name="label_feed")
    last_sequence = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"feed of {self.line_id}"


class LabelExample(models.Model):
    """A picture in the label book."""

    label_class = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="pictures")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    counter = models.BooleanField(default=False)
    caption = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["label_class", "counter", "id"]

    def __str__(self) -> str:
        return self.caption


class DatasetVersion(models.Model):
    """A frozen list of labels with a fixed split. The rows are a manifest in the media store, named by its digest."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="datasets")
    number = models.PositiveIntegerField()
    # SHA-256 of the manifest, one JSON object a line.
    digest = models.CharField(max_length=64)
    last_sequence = models.PositiveBigIntegerField()
    # {split: {class: count}}
    counts = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["line", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["line", "number"], name="one_dataset_number_a_line"),
            models.UniqueConstraint(fields=["line", "digest"], name="one_dataset_a_content"),
        ]

    def __str__(self) -> str:
        return f"dataset {self.number}"


class TrainingState(models.TextChoices):
    """How far a training run is."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class TrainingRun(models.Model):
    """One retraining of a line's model, from the labels to a candidate."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="training_runs")
    state = models.CharField(max_length=10, choices=TrainingState, default=TrainingState.QUEUED)
    # 0 to 1, with what is being done in words.
    progress = models.FloatField(default=0)
    stage = models.CharField(max_length=200, blank=True)
    # Moves while the run is alive; a run whose heartbeat stopped is taken up again.
    heartbeat_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=200)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    dataset = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, null=True, related_name="training_runs")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="training_runs")
    # The candidate and the champion of the moment, measured on the same test split.
    evaluation = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state__in=[TrainingState.QUEUED, TrainingState.RUNNING]),
                name="one_training_run_a_line",
            ),
        ]

    def __str__(self) -> str:
        return f"training run {self.pk}"
