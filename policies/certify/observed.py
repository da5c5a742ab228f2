"""What hand-set thresholds did on the audited items: observed rates with their intervals, and no certificate. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from policies.certify.binomial import lower_bound, upper_bound
from policies.certify.certify import NEVER, count
from policies.certify.scored import lean
from policies.certify.words import DENOMINATORS, Form, Limit


@dataclass(frozen=True, slots=True)
class Observed:
    """`k` wrong of `n` audited, and the two-sided exact interval of the true rate for thresholds named beforehand.

    It proves nothing about thresholds that were chosen by looking at the same items, hence never certified.
    """

    label: int
    form: Form
    n: int
    k: int
    low: float
    high: float
    certified: bool = False

    @property
    def rate(self) -> float | None:
        """The observed rate; None of nothing."""
        return self.k / self.n if self.n else None

    @property
    def denominator(self) -> str:
        """What `n` counts, in words."""
        return DENOMINATORS[self.form]


def observed(
    truth: ArrayLike, probabilities: ArrayLike, thresholds: Sequence[float | None], confidence: float = 0.95
) -> tuple[Observed, ...]:
    """Return both forms' rates of each class at `thresholds` (one a class; None: never decided alone), escape first.

    Intervals are Clopper and Pearson's (1934), [0, 1] where nothing is counted. Raises ValueError on shapes that do not fit.
    """
    items, truths = lean(probabilities), np.asarray(truth, dtype=np.int64)
    if truths.shape != (len(items),) or len(thresholds) != items.classes:
        raise ValueError("Truth, probabilities and thresholds do not fit each other.")
    set_by_hand = np.array([NEVER if threshold is None else threshold for threshold in thresholds])
    tail = (1 - confidence) / 2
    found = []
    for label in range(items.classes):
        for form in Form:
            # Any limit will do: only its class and form say what is counted.
            n, k = count(Limit(label, form, 0.5), items, truths, set_by_hand)
            found.append(Observed(label, form, n, k, float(lower_bound(k, n, tail)), float(upper_bound(k, n, tail))))
    return tuple(found)
