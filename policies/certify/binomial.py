"""Exact binomial statistics of errors among audited items. Pure and vectorised.

All of them take errors as independent with one rate among the items counted, which holds for a random audit sample: given
how many audited items fall into a group, the errors among them are binomial with the group's true error rate.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log, log1p

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincinv

Floats = NDArray[np.float64]
# Beyond this many errors nobody waits for a certificate.
MOST_ERRORS = 100_000


def p_value(k: ArrayLike, n: ArrayLike, epsilon: float) -> Floats:
    """Return P(Binomial(n, epsilon) <= k): how easily so few errors come when the true rate is epsilon.

    It is the exact p-value of "the rate is epsilon or more". By the incomplete beta function (Abramowitz and Stegun 1964,
    26.5.24), so that arrays of any shape cost one call. 1 where n is 0.
    """
    errors, counted = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    right = np.maximum(counted - errors, 0.0)
    value: Floats = np.where(right > 0, betainc(np.maximum(right, 1.0), errors + 1.0, 1.0 - epsilon), 1.0)
    return value


def upper_bound(k: ArrayLike, n: ArrayLike, level: float) -> Floats:
    """Return the exact upper bound of the rate at confidence 1 - level (Clopper and Pearson 1934); 1 where all were wrong.

    It is at most epsilon exactly where `p_value(k, n, epsilon)` is at most `level`.
    """
    errors, counted = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    right = np.maximum(counted - errors, 0.0)
    bound: Floats = np.where(right > 0, betaincinv(errors + 1.0, np.maximum(right, 1.0), 1.0 - level), 1.0)
    return bound


def lower_bound(k: ArrayLike, n: ArrayLike, level: float) -> Floats:
    """Return the exact lower bound of the rate at confidence 1 - level (Clopper and Pearson 1934); 0 where none was wrong."""
    errors, counted = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    right = np.maximum(counted - errors, 0.0)
    bound: Floats = np.where(errors > 0, betaincinv(np.maximum(errors, 1.0), right + 1.0, level), 0.0)
    return bound


def passes_needed(epsilon: float, level: float) -> int:
    """Return the least n with which a test at `level` can pass at all: (1 - epsilon)^n <= level with no error."""
    return max(1, ceil(log(level) / log1p(-epsilon) - 1e-9))


def least_n(k: ArrayLike, epsilon: float, level: float) -> NDArray[np.int64]:
    """Return, for each number of errors, the least n with which the test still passes.

    By bisection, as the p-value falls when n grows.
    """
    errors = np.asarray(k, dtype=np.int64)
    low: NDArray[np.int64] = errors.copy()
    # P(Binomial(n, epsilon) <= k) is below any level in use once n epsilon is k plus some twenty of its deviations.
    high: NDArray[np.int64] = np.ceil((errors + 40 + 20 * np.sqrt(errors + 1) + 2 * abs(log(level))) / epsilon).astype(np.int64)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        passes = p_value(errors, middle, epsilon) <= level
        high, low = np.where(passes, middle, high), np.where(passes, low, middle)
    return high


def expected_n(epsilon: float, rate: float, level: float) -> int | None:
    """Return the least n at which the test passes in at least half of all cases when the true rate is `rate`.

    That is the least n whose median number of errors still passes. None where the rate is not below the limit, or so close
    to it that more than 100,000 errors would have to be counted.
    """
    if rate >= epsilon:
        return None
    errors, counted = _ladder(epsilon, level)
    passing = np.ones(len(errors), dtype=bool) if rate <= 0 else p_value(errors, counted, rate) >= 0.5
    return int(counted[passing].min()) if passing.any() else None


@lru_cache(maxsize=256)
def _ladder(epsilon: float, level: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return numbers of errors, each one at first and then in steps of some 2 %, and the least n that passes with them."""
    errors = np.union1d(np.arange(200), np.geomspace(200, MOST_ERRORS, 300).astype(np.int64))
    return errors, least_n(errors, epsilon, level)
