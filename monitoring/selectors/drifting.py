"""Whether the photos, or what the champion says about them, look unlike those it was deployed or certified on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import FilteredRelation, Q, QuerySet
from numpy.typing import NDArray

from gateway.models import DecidedBy, Deployment, Item, Role
from monitoring.differences import percent
from monitoring.drift import Drift, drifts
from monitoring.models import Watch
from monitoring.selectors.watches import WINDOW, Reading
from policies.models import Certification, Line

# Items that stand for how it was.
REFERENCE = 800
# A window is looked at when its slot begins: however often somebody asks in between, it is the same look.
SLOT = timedelta(seconds=30)
FEATURES = ("brightness", "contrast", "sharpness", "score")
COLUMNS = ("received_at", "brightness", "contrast", "sharpness", "said__probabilities")

Floats = NDArray[np.float64]
Row = tuple[datetime, float | None, float | None, float | None, dict[str, float] | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One feature of the window against the reference, for people."""

    drift: Drift
    before: float
    now: float


def drift(line: Line, champion: Deployment | None, negative: str, level: float, since: datetime, now: datetime) -> Reading:
    """Compare the last 200 arrivals with the 800 of the reference, with three queries at most.

    The reference is the last 800 arrivals before the champion's newest certification, which speaks about them; where there are
    not as many since its deployment, the first 800 after the deployment. Looks number j = 1, 2, 3, ... come at most every
    SLOT; look j is made at level / (j (j + 1)), and these add up to `level`: it is the chance of a false alarm over all looks
    to come, as long as photos go on being like the reference. The score is the probability of the negative class.
    """
    if champion is None:
        return Reading(Watch.DRIFT, since, level, 0, 0, False, "no model serves the line")
    reference = _reference(line, champion)
    if len(reference) < REFERENCE:
        words = f"{len(reference)} of the {REFERENCE} items that it takes to know what is usual"
        return Reading(Watch.DRIFT, since, level, 0, len(reference), False, words)
    begin = max(since, reference[-1][0])
    slot = int((now - begin) / SLOT)
    arrived = _arrivals(line).filter(received_at__gt=begin, received_at__lt=begin + slot * SLOT)
    window = list(arrived.order_by("-received_at", "-id").values_list(*COLUMNS)[:WINDOW])
    if slot < 1 or len(window) < WINDOW:
        words = f"{len(window)} of the {WINDOW} items that a comparison takes"
        return Reading(Watch.DRIFT, begin, level, 0, len(window), False, words)
    return _compare(reference, window, negative, level, begin, slot)


def _compare(
    reference: Sequence[Row], window: Sequence[Row], negative: str, level: float, begin: datetime, look: int
) -> Reading:
    before, present = _features(reference, negative), _features(window, negative)
    tests = drifts(before, present, windows=look * (look + 1), alpha=level)
    changed = [Compared(test, _median(before[test.feature]), _median(present[test.feature])) for test in tests]
    beyond = [entry for entry in changed if entry.drift.drifts]
    words = f"the last {WINDOW} photos look like the {REFERENCE} before"
    if beyond:
        words = f"the last {WINDOW} photos are unlike the {REFERENCE} before in {' and '.join(e.drift.feature for e in beyond)}"
    more = {"features": [_kept(entry) for entry in changed], "look": look, "reference": REFERENCE}
    return Reading(Watch.DRIFT, begin, level, len(beyond), WINDOW, bool(beyond), f"{words}, level {percent(level)}", more)


def _kept(entry: Compared) -> dict[str, object]:
    test = entry.drift
    figures = {"distance": test.distance, "p": test.p, "level": test.level, "before": entry.before, "now": entry.now}
    return {"feature": test.feature, "drifts": test.drifts, **figures}


def _reference(line: Line, champion: Deployment) -> list[Row]:
    """Return the reference, oldest first."""
    deployed = _arrivals(line).filter(received_at__gte=champion.started_at)
    certifications = Certification.objects.filter(line=line, weights_digest=champion.model_version.weights_digest)
    newest = certifications.order_by("-id").first()
    if newest is not None:
        before = deployed.filter(received_at__lte=newest.created_at).order_by("-received_at", "-id")
        rows = list(before.values_list(*COLUMNS)[:REFERENCE])
        if len(rows) == REFERENCE:
            return rows[::-1]
    return list(deployed.order_by("received_at", "id").values_list(*COLUMNS)[:REFERENCE])


def _arrivals(line: Line) -> QuerySet[Item]:
    """Return the line's arrivals with the prediction that routed each as `said`; imported photos never came past the camera."""
    said = FilteredRelation("predictions", condition=Q(predictions__role=Role.CHAMPION))
    return Item.objects.filter(line=line).exclude(decided_by=DecidedBy.IMPORT).annotate(said=said)


def _features(rows: Sequence[Row], negative: str) -> dict[str, Floats]:
    """Return each feature's values; what an item lacks is not a number and is left out."""
    values = [(*row[1:4], (row[4] or {}).get(negative)) for row in rows]
    table = np.array(values, dtype=np.float64)
    return {feature: table[:, column] for column, feature in enumerate(FEATURES)}


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else 0.0
