"""Scores by class, and what a threshold would have done with them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from monitoring.cells import FINE, Cell
from monitoring.intervals import Share, share

Counts = tuple[int, ...]
# Bars of a histogram on the page.
COARSE = 20


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How sure the model was where it said this class: counts a fine bin, FINE + 1 of them."""

    key: str
    all: Counts
    right: Counts
    wrong: Counts
    # Blind labels of items that were chosen without looking at the score, and those of them that say the model was wrong.
    checked: Counts
    checked_wrong: Counts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What thresholds would have done with the window's items."""

    automated: int
    items: int
    wrong: Share


def class_scores(key: str, scored: Mapping[tuple[str, int], int], cells: Sequence[Cell], version: int | None) -> ClassScores:
    """Return the counts of one class. `scored` maps (answer, fine bin) to the number of items scored by `version`."""
    mine = [cell for cell in cells if cell.said == key and cell.version == version]
    trusted = [cell for cell in mine if cell.trusted]
    return ClassScores(
        key,
        tuple(scored.get((key, position), 0) for position in range(FINE + 1)),
        _counts([cell for cell in mine if cell.right]),
        _counts([cell for cell in mine if not cell.right]),
        _counts(trusted),
        _counts([cell for cell in trusted if not cell.right]),
    )


def first_bin(threshold: float) -> int:
    """Return the lowest fine bin that reaches the threshold; a hair of rounding must not push it to the next."""
    return ceil(threshold * FINE - 1e-9)


def outcome(scores: Sequence[ClassScores], thresholds: Mapping[str, float]) -> Outcome:
    """Return what `thresholds` would have done; a class without one is never decided alone."""
    automated = checked = wrong = 0
    for entry in scores:
        start = first_bin(thresholds[entry.key]) if entry.key in thresholds else FINE + 1
        automated += sum(entry.all[start:])
        checked += sum(entry.checked[start:])
        wrong += sum(entry.checked_wrong[start:])
    return Outcome(automated, sum(sum(entry.all) for entry in scores), share(wrong, checked))


def curve(scores: Sequence[ClassScores]) -> dict[str, dict[str, list[int]]]:
    """Return, for each class and each fine bin, how many items score there or above: what the sliders read."""
    return {
        entry.key: {
            "automated": _from_top(entry.all),
            "checked": _from_top(entry.checked),
            "wrong": _from_top(entry.checked_wrong),
        }
        for entry in scores
    }


def coarse(counts: Counts) -> Counts:
    """Fold fine bins into the bars of the page; scores of exactly 1 join the last bar."""
    width = FINE // COARSE
    bars = [sum(counts[start : start + width]) for start in range(0, FINE, width)]
    bars[-1] += counts[FINE]
    return tuple(bars)


def _counts(cells: Sequence[Cell]) -> Counts:
    counts = [0] * (FINE + 1)
    for cell in cells:
        counts[cell.bin] += cell.count
    return tuple(counts)


def _from_top(counts: Counts) -> list[int]:
    """Sums from each bin to the end, and a 0 beyond it."""
    return [*reversed(list(accumulate(reversed(counts)))), 0]
