"""Having a model score items it has never seen, so that a candidate is judged on past audits before it decides anything."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from gateway.models import Item, Prediction
from gateway.scoring import BATCH, score_items
from inference.models import ModelVersion
from policies.models import Line
from review.datasets import rows_of
from review.models import DatasetVersion, Label


def items_that_may_judge(line: Line, version: ModelVersion) -> list[Item]:
    """Return the items with a blind label that the model was neither trained nor validated on."""
    fitted = fitted_items(line, version)
    return [label.item for label in _blind(line).select_related("item").order_by("item_id") if str(label.item_id) not in fitted]


def fitted_items(line: Line, version: ModelVersion) -> set[str]:
    """Return the ids of the items in the model's training and validation splits."""
    dataset = DatasetVersion.objects.filter(line=line, digest=version.dataset_digest).first()
    return {row["item"] for row in rows_of(dataset) if row["split"] != "test"} if dataset is not None else set()


def score_past_audits(line: Line, version: ModelVersion, *, most: int | None = None) -> int:
    """Score what may judge the model and what it has not scored yet, newest first and at most `most`; return how many.

    Newest first, as the photos of the oldest may be missing and must not stand in the way.
    """
    scored = Prediction.objects.filter(item=OuterRef("item"), model_version=version)
    missing = list(
        _blind(line).filter(~Exists(scored), item__photo_deleted_at=None).order_by("-item_id").values_list("item_id", flat=True)
    )
    fitted = fitted_items(line, version) if missing else set()
    wanted = [item_id for item_id in missing if str(item_id) not in fitted][:most]
    return sum(
        score_items(line, version, list(Item.objects.filter(pk__in=wanted[start : start + BATCH])))
        for start in range(0, len(wanted), BATCH)
    )


def _blind(line: Line) -> QuerySet[Label]:
    return Label.standing.filter(line=line, blind=True).exclude(answer="")
