"""A share estimated from a sample, with its interval and its n. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
# With fewer than ten the interval covers more than half of the scale around the middle: there is nothing to say yet.
LEAST_N = 10


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n`, and the interval in which the true share lies; `low` and `high` are shares from 0 to 1."""

    count: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share itself; None of nothing."""
        return self.count / self.n if self.n else None

    @property
    def too_small(self) -> bool:
        """Whether n is too small to say anything."""
        return self.n < LEAST_N

    @property
    def missing(self) -> int:
        """How many more are needed before there is something to say."""
        return max(0, LEAST_N - self.n)


def share(count: int, n: int, confidence: float = CONFIDENCE) -> Share:
    """Return the share with its Wilson score interval (Wilson 1927, without continuity correction).

    Raises ValueError where `count` is not between 0 and `n`.
    """
    if not 0 <= count <= n:
        raise ValueError(f"{count} of {n} is not a share.")
    if n == 0:
        return Share(0, 0, 0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = count / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # At the ends rounding may leave the interval a hair inside of the exact bound.
    low = 0.0 if count == 0 else max(0.0, centre - reach)
    high = 1.0 if count == n else min(1.0, centre + reach)
    return Share(count, n, low, high)
