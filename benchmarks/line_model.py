"""A made-up line whose true rates are known in closed form, for measuring what a guarantee is worth.

3 % of items are defective. One number an item, normal with deviation 1, around 0 for good and 2.3 for defective items: AUROC
.948. The model says the probability of a defect that is right for a training set of which a quarter is defective, as training
sets are made; on the line it is too high, and nothing here depends on its being right. It leans to "defect" above 1.63.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

DEFECTIVE = 0.03
APART = 2.3
TRAINED_ON = 0.25
GOOD, DEFECT = 0, 1
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rates:
    """What thresholds truly do: the escape rate, the overkill rate, the share automated."""

    escape: float
    overkill: float
    automation: float


def items(generator: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return the truth [n] and the number [n] of so many items."""
    defective = generator.random(count) < DEFECTIVE
    return defective.astype(np.int64), generator.normal(size=count) + APART * defective


def probabilities(number: Array, trained_on: float = TRAINED_ON) -> Array:
    """Return what the model says, [n, 2]."""
    defect = expit(APART * number - APART**2 / 2 + logit(trained_on))
    return np.stack([1 - defect, defect], axis=1)


def number_at(threshold: float | None, label: int, trained_on: float = TRAINED_ON) -> float:
    """Return the number at which the model says `threshold` for a class; beyond all items where there is no threshold."""
    if threshold is None:
        return -np.inf if label == GOOD else np.inf
    defect = 1 - threshold if label == GOOD else threshold
    return float((logit(defect) - logit(trained_on) + APART**2 / 2) / APART)


def rates(low: float, high: float) -> Rates:
    """Return the true rates of passing below `low` and rejecting above `high`."""
    good, bad = (1 - DEFECTIVE) * norm.cdf(low), DEFECTIVE * norm.cdf(low - APART)
    rejected = (1 - DEFECTIVE) * norm.sf(high) + DEFECTIVE * norm.sf(high - APART)
    passed = good + bad
    return Rates(float(bad / passed) if passed else 0.0, float(norm.sf(high)), float(passed + rejected))


def oracle(escape: float, overkill: float, turn: float | None = None) -> Rates:
    """Return the best thresholds that keep both limits exactly; with `turn`, those of a model that leans to defect above it."""
    low = brentq(lambda at: rates(at, np.inf).escape - escape, -5, 5)
    high = float(norm.isf(overkill))
    return rates(low, high) if turn is None else rates(min(low, turn), max(high, turn))
