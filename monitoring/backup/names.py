"""Which files the database names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q

from gateway.models import Item
from inference.models import ModelVersion
from review.models import DatasetVersion, Label, TrainingRun

ROWS = 5000


def media_named(*, since: datetime) -> set[str]:
    """Return the digests in the media store that any row names, or named at `since`.

    It is read after the copy of the database was made and holds at least what that names: rows are only added, and a photo
    whose deletion the copy does not know of was deleted after `since`.
    """
    kept = Item.objects.filter(Q(photo_deleted_at=None) | Q(photo_deleted_at__gte=since)).order_by()
    found = set(kept.values_list("media_digest", flat=True).iterator(ROWS))
    found.update(Label.objects.exclude(mask_digest="").order_by().values_list("mask_digest", flat=True).iterator(ROWS))
    found.update(DatasetVersion.objects.values_list("digest", flat=True))
    for told in (
        *TrainingRun.objects.values_list("evaluation", flat=True),
        *ModelVersion.objects.values_list("metrics", flat=True),
    ):
        found.update(_examples(told))
    return found


def weights_named() -> set[str]:
    """Return the digests of all weights that a model version names."""
    return set(ModelVersion.objects.order_by().values_list("weights_digest", flat=True))


def _examples(told: Any) -> Iterator[str]:
    """Yield the manifests of what models said in an evaluation, however deep they are named."""
    if isinstance(told, dict):
        if digest := told.get("examples_digest"):
            yield digest
        for value in told.values():
            yield from _examples(value)
