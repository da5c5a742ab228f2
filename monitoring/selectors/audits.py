"""The items that may judge a model, as arrays: the one place that says which they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db.models import Exists, OuterRef, Q
from numpy.typing import NDArray

from gateway.models import Prediction
from inference.models import ModelVersion
from monitoring.selectors.labelled import EVERYTHING_BLIND
from policies.models import Line
from review.models import Label, LabelSource
from review.rescoring import fitted_items

Floats = NDArray[np.float64]
# The newest audits that are read: more prove little that these do not, and the line was another one then.
MOST_AUDITS = 50_000
# Other items of the stream, whose scores say where thresholds are tried; with fewer the audited items' own scores do.
REFERENCE, LEAST_REFERENCE = 5_000, 500
# (item, truth, arrival, probabilities)
Row = tuple[UUID, str, datetime, dict[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Audited:
    """Items that may judge one model version, oldest first: truths [n] and probabilities [n, classes] in the line's order."""

    items: tuple[UUID, ...]
    truths: NDArray[np.int64]
    probabilities: Floats
    # When each item arrived.
    times: tuple[datetime, ...]
    classes: tuple[str, ...]
    version: ModelVersion
    # SHA-256 over the classes, the items' ids, the truths and the probabilities.
    digest: str

    def __len__(self) -> int:
        """The number of items."""
        return len(self.items)


def audited(line: Line, version: ModelVersion) -> Audited:
    """Return the items that may judge `version`, with three queries.

    Each was drawn for the audit sample, or came while the mode had people judge everything blind; its label stands and nobody
    who gave it had seen a prediction; it was in neither the training nor the validation split; and `version` has scored it.
    """
    classes = tuple(line.classes.order_by("position").values_list("key", flat=True))
    places, fitted = {key: place for place, key in enumerate(classes)}, fitted_items(line, version)
    rows = [row for row in reversed(_judged(line, version)) if row[1] in places and str(row[0]) not in fitted]
    items = tuple(row[0] for row in rows)
    truths = np.array([places[row[1]] for row in rows], dtype=np.int64)
    probabilities = _aligned([row[3] for row in rows], classes)
    digest = _digest(classes, items, truths, probabilities)
    return Audited(items, truths, probabilities, tuple(row[2] for row in rows), classes, version, digest)


def reference(line: Line, sample: Audited) -> Floats | None:
    """Return what the model said about recent other items [m, classes], with one query; None where these are too few.

    Whether somebody looked at them since does not matter: to choose the unseen ones would be to choose by score.
    """
    if not len(sample):
        return None
    taken = set(sample.items)
    recent = Prediction.objects.filter(item__line=line, model_version=sample.version, item__in_audit=False).order_by("-id")
    others = [said for item, said in recent.values_list("item_id", "probabilities")[:REFERENCE] if item not in taken]
    return _aligned(others, sample.classes) if len(others) >= LEAST_REFERENCE else None


def _judged(line: Line, version: ModelVersion) -> list[Row]:
    """Return the newest labelled items of the sample, newest first."""
    random = Q(in_audit=True) | Q(item__reason__in=EVERYTHING_BLIND)
    # What came labelled was chosen by somebody, whatever was said about it later.
    imported = Label.objects.filter(item=OuterRef("item"), source=LabelSource.IMPORT)
    rows = (
        Label.standing.filter(random, ~Exists(imported), line=line, blind=True, item__predictions__model_version=version)
        .exclude(answer="")
        .order_by("-item_id")
        .values_list("item_id", "answer", "item__received_at", "item__predictions__probabilities")
    )
    return list(rows[:MOST_AUDITS])


def _aligned(said: Sequence[Mapping[str, float]], classes: Sequence[str]) -> Floats:
    """Return probabilities in the order of the classes; one that the model does not know gets 0."""
    table = np.array([[row.get(key, 0.0) for key in classes] for row in said], dtype=np.float64)
    return table.reshape(len(said), len(classes))


def _digest(classes: Sequence[str], items: Sequence[UUID], truths: NDArray[np.int64], probabilities: Floats) -> str:
    digest = hashlib.sha256("\n".join(classes).encode())
    for item in items:
        digest.update(item.bytes)
    digest.update(truths.astype("<i8").tobytes())
    digest.update(np.ascontiguousarray(probabilities, dtype="<f8").tobytes())
    return digest.hexdigest()
