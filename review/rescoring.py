"""Having a model score items it has never seen, so that a candidate is judged on past audits before it decides anything."""

from __future__ import annotations

from gateway.models import Item, Prediction
from gateway.scoring import score_items
from inference.models import ModelVersion
from policies.models import Line
from review.datasets import rows_of
from review.models import DatasetVersion, Label


def items_that_may_judge(line: Line, version: ModelVersion) -> list[Item]:
    """Return the items with a blind label that the model was neither trained nor validated on."""
    fitted = fitted_items(line, version)
    labels = Label.objects.filter(line=line, superseded_by=None, blind=True).exclude(answer="").select_related("item")
    return [label.item for label in labels.order_by("item_id") if str(label.item_id) not in fitted]


def fitted_items(line: Line, version: ModelVersion) -> set[str]:
    """Return the ids of the items in the model's training and validation splits."""
    dataset = DatasetVersion.objects.filter(line=line, digest=version.dataset_digest).first()
    return {row["item"] for row in rows_of(dataset) if row["split"] != "test"} if dataset is not None else set()


def score_past_audits(line: Line, version: ModelVersion) -> int:
    """Score every item that may judge the model and that it has not scored yet; return how many there were."""
    scored = set(Prediction.objects.filter(item__line=line, model_version=version).values_list("item_id", flat=True))
    return score_items(line, version, [item for item in items_that_may_judge(line, version) if item.pk not in scored])
