"""Several fixed sequences of tests that share one delta. Pure.

In a fixed sequence the hypotheses ("the true rate at this threshold is above the limit") are tested one after the other in an
order fixed without the labels, each at the same level, until the first that cannot be rejected (Bauer 1991; for risk control
Angelopoulos, Bates, Candès, Jordan and Lei 2021, "Learn then test"). A true hypothesis is rejected only if the first true one
in the order is, so the chance of any false claim is at most the level, whatever the shape of the risk: monotony is not
needed.

Sequences split delta equally (Bonferroni). A sequence that is rejected to its very end hands its level, in equal parts, to
those still open: it is the graphical procedure of Bretz, Maurer, Brannath and Posch (2009) with an edge from each test to the
next of its sequence and from the last of each sequence to the first of all others. Its chance of any false claim, over all
sequences, is at most delta under any dependence between the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from policies.certify.binomial import Floats


@dataclass(frozen=True, slots=True)
class Passed:
    """How many steps of a sequence are certified, and the level at which they are."""

    steps: int
    level: float


def run(p_values: Sequence[Floats], delta: float) -> list[Passed]:
    """Return how far each sequence comes. `p_values` has one array a sequence, in its fixed order from strict to loose."""
    levels = [delta / max(1, len(p_values))] * len(p_values)
    steps = [0] * len(p_values)
    still_open = set(range(len(p_values)))
    while True:
        for index in still_open:
            steps[index] = rejected(p_values[index], levels[index])
        finished = {index for index in still_open if steps[index] == len(p_values[index])}
        still_open -= finished
        if not finished or not still_open:
            return [Passed(*pair) for pair in zip(steps, levels, strict=True)]
        handed = sum(levels[index] for index in finished) / len(still_open)
        for index in still_open:
            levels[index] += handed


def rejected(p_values: Floats, level: float) -> int:
    """Return how many tests are passed before the first that is not."""
    stops = np.flatnonzero(~(p_values <= level))
    return int(stops[0]) if len(stops) else len(p_values)
