"""Single figures with 95 % intervals: Wilson for shares, the percentile bootstrap for what is no share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

Estimate = dict[str, Any]
Array = np.ndarray[Any, Any]
RESAMPLES = 1000
# Fixed, so that the same predictions always show the same interval.
SEED = 20_240_229


def share(count: int, of: int) -> Estimate:
    """Return `count / of` with its Wilson score interval (Wilson 1927)."""
    if of == 0:
        return _nothing(0)
    interval = binomtest(count, of).proportion_ci(0.95, method="wilson")
    return {"value": count / of, "low": float(interval.low), "high": float(interval.high), "n": of}


def area(positive: Array, score: Array) -> Estimate:
    """Return the area under the ROC curve: how often a positive scores above a negative."""
    if positive.all() or not positive.any():
        return _nothing(len(positive))
    return _estimate(float(roc_auc_score(positive, score)), positive, score, weighted_area)


def average_precision(positive: Array, score: Array) -> Estimate:
    """Return the average precision: the precision at each positive when all are sorted by score, averaged."""
    if not positive.any():
        return _nothing(len(positive))
    return _estimate(float(average_precision_score(positive, score)), positive, score, weighted_average_precision)


def f1(positive: Array, said: Array) -> Estimate:
    """Return the harmonic mean of precision and recall."""
    if not positive.any() and not said.any():
        return _nothing(len(positive))
    return _estimate(float(f1_score(positive, said, zero_division=0.0)), positive, said, weighted_f1)


def weighted_area(positive: Array, score: Array, weights: Array) -> Array:
    """Return the area for each row of `weights` [r, n], which say how often each example counts; NaN where undefined."""
    right, wrong = _cumulated(positive, score, weights)
    areas = np.trapezoid(right, wrong, axis=1)
    return _divided(areas, right[:, -1] * wrong[:, -1])


def weighted_average_precision(positive: Array, score: Array, weights: Array) -> Array:
    """Return the average precision for each row of `weights` [r, n]; NaN where undefined."""
    right, wrong = _cumulated(positive, score, weights)
    precision = right / np.maximum(right + wrong, 1)
    return _divided((np.diff(right, axis=1) * precision[:, 1:]).sum(axis=1), right[:, -1])


def weighted_f1(positive: Array, said: Array, weights: Array) -> Array:
    """Return F1 for each row of `weights` [r, n]; NaN where undefined."""
    return _divided(2 * (weights @ (positive & said)), weights @ positive + weights @ said)


def _cumulated(positive: Array, score: Array, weights: Array) -> tuple[Array, Array]:
    """Return how many positives and negatives score at least each distinct score, [r, scores + 1], beginning at none."""
    order = np.argsort(-score, kind="stable")
    last_of_equals = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    sorted_weights, sorted_positive = weights[:, order], positive[order]
    counts = [np.cumsum(sorted_weights * which, axis=1)[:, last_of_equals] for which in (sorted_positive, ~sorted_positive)]
    right, wrong = (np.pad(count, ((0, 0), (1, 0))) for count in counts)
    return right, wrong


def _divided(of: Array, by: Array) -> Array:
    quotient: Array = np.divide(of, by, out=np.full(len(of), np.nan), where=by > 0)
    return quotient


def _nothing(of: int) -> Estimate:
    return {"value": None, "low": None, "high": None, "n": of}


def _estimate(value: float, truth: Array, score: Array, measure: Callable[[Array, Array, Array], Array]) -> Estimate:
    """Return the value with the percentiles of its measure over samples drawn from the same examples with replacement."""
    count = len(truth)
    weights = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    found = measure(truth, score, weights)
    found = found[np.isfinite(found)]
    low, high = np.percentile(found, [2.5, 97.5]) if len(found) else (value, value)
    return {"value": value, "low": float(low), "high": float(high), "n": count}
