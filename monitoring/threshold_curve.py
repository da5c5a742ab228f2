"""Automation against errors for every threshold at once: what the sliders read, worked out once. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.replay import CONFIDENCE, UNKNOWN, Past
from policies.certify.binomial import lower_bound, upper_bound

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
POINTS = 200


@dataclass(frozen=True, slots=True)
class Band:
    """`k` wrong of `n` audited at each threshold of the grid, and the exact 95 % interval; all arrays end in [thresholds].

    The interval holds for each threshold alone, not for all of them at once: picking the best by eye is no certificate.
    """

    n: Ints
    k: Ints
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """One grid of thresholds, falling from strict to loose, for all classes.

    `decided` [classes, thresholds] counts the items that would be decided as the class, `wrong` is the escape form of each
    class at its own threshold; both add up over classes, which gives any combination of thresholds. `rejected_good` [classes,
    thresholds] counts the audited good items decided as the class, of `good` audited good ones. `automation`, `escapes` and
    `overkill` [thresholds] are those of one threshold common to all classes.
    """

    thresholds: Floats
    items: int
    decided: Ints
    wrong: Band
    rejected_good: Ints
    good: int
    automation: Floats
    escapes: Band
    overkill: Band


def threshold_curve(past: Past, classes: int, points: int = POINTS) -> ThresholdCurve:
    """Return the curve over a grid of at most `points` + 1 thresholds: quantiles of the scores, and the loosest of all."""
    scored = past.score[past.said >= 0]
    thresholds = _grid(scored, classes, points)
    known = past.truth != UNKNOWN
    good = past.truth == past.negative
    by_class = [past.said == label for label in range(classes)]
    decided = np.array([_reaching(past.score[mine], thresholds) for mine in by_class])
    judged = np.array([_reaching(past.score[mine & known], thresholds) for mine in by_class])
    wrong = np.array(
        [_reaching(past.score[mine & known & (past.truth != label)], thresholds) for label, mine in enumerate(by_class)]
    )
    rejected = np.array(
        [_reaching(past.score[mine & good], thresholds) * (label != past.negative) for label, mine in enumerate(by_class)]
    )
    all_good = np.full(len(thresholds), int(good.sum()))
    return ThresholdCurve(
        thresholds=thresholds,
        items=len(past),
        decided=decided,
        wrong=_band(judged, wrong),
        rejected_good=rejected,
        good=int(good.sum()),
        automation=decided.sum(axis=0) / max(1, len(past)),
        escapes=_band(judged[past.negative], wrong[past.negative]),
        overkill=_band(all_good, rejected.sum(axis=0)),
    )


def _grid(scores: Floats, classes: int, points: int) -> Floats:
    """Return thresholds that scores take, so that steps are where items are; 1 / classes is what any item reaches."""
    if not len(scores):
        return np.array([1 / classes])
    quantiles = np.quantile(scores, np.linspace(1, 0, points), method="higher")
    grid: Floats = np.unique(np.append(quantiles, 1 / classes))[::-1]
    return grid


def _reaching(scores: Floats, thresholds: Floats) -> Ints:
    counts: Ints = (len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")).astype(np.int64)
    return counts


def _band(n: Ints, k: Ints) -> Band:
    tail = (1 - CONFIDENCE) / 2
    counted = n > 0
    low, high = lower_bound(k, n, tail), upper_bound(k, n, tail)
    return Band(n, k, np.where(counted, low, 0.0), np.where(counted, high, 1.0))
