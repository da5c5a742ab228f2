"""Audited items as the dial reads them: what the model leans to and how sure it is, and the label-free thresholds to try."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from policies.certify.binomial import Floats, least_n

Ints = NDArray[np.int64]
# Thresholds tried for one class. Many, as each is close to the last: the finer, the nearer the certified one is to the best.
STEPS = 200
# A start with room for this many errors rarely stops by bad luck at the first step; a start with none often does.
ROOM = 5


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model said about items: the class it leans to and that class's probability, both [n], of `classes` classes."""

    said: Ints
    score: Floats
    classes: int

    def __len__(self) -> int:
        """The number of items."""
        return len(self.said)

    def scores_of(self, label: int) -> Floats:
        """Return the scores of the items that lean to a class."""
        scores: Floats = self.score[self.said == label]
        return scores


def lean(probabilities: ArrayLike) -> Scored:
    """Return what the model leans to, given probabilities [n, classes]; ties go to the first class, as in `decide`.

    Raises ValueError where the array is not two-dimensional with at least two classes.
    """
    table = np.asarray(probabilities, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"Probabilities are [n, classes] of two classes or more, not {table.shape}.")
    said = table.argmax(axis=1)
    score: Floats = np.take_along_axis(table, said[:, None], axis=1)[:, 0]
    return Scored(said, score, table.shape[1])


@lru_cache(maxsize=256)
def starts_of(epsilon: float, level: float) -> Ints:
    """Return the least numbers of items that pass a test with 0, 1, ... ROOM errors."""
    return least_n(np.arange(ROOM + 1), epsilon, level)


def start_counts(candidates: Floats, epsilon: float, level: float) -> Ints:
    """Return how many items have to pass at the first threshold, for each number of candidates: label-free.

    The largest start with room for up to ROOM errors that lies in the stricter half of the candidates, else the least one. 0
    where a test cannot pass even without errors.
    """
    starts = starts_of(epsilon, level)
    roomy = np.searchsorted(starts, candidates / 2, side="right")
    counts = starts[np.maximum(roomy - 1, 0)]
    return np.where(starts[0] <= candidates + 1e-6, counts, 0)


def steps_of(scores: Floats, start: float, loosest: float) -> Floats:
    """Return the thresholds to try, from strict to loose: from where `start` of the scores pass to `loosest`, where all do.

    Each lies just above a score, so that given the threshold the items that pass are a plain sample of such items; the item
    that gave the threshold its place is not among them.
    """
    ranked = np.sort(scores)[::-1]
    ranks = np.unique(np.linspace(max(start, 1), len(ranked), STEPS).astype(np.int64))
    thresholds = np.append(np.nextafter(ranked[ranks[ranks < len(ranked)]], np.inf), loosest)
    thresholds = np.unique(thresholds)[::-1]
    # Equal scores may let fewer pass than the rank promises.
    enough = passing(scores, thresholds) >= min(start, len(ranked))
    steps: Floats = thresholds[enough & (thresholds <= 1)]
    return steps


def passing(scores: Floats, thresholds: Floats) -> Ints:
    """Return how many of `scores` reach each threshold."""
    counts: NDArray[Any] = len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")
    return counts.astype(np.int64)
