"""Whether a window of items looks unlike the items before: two-sample Kolmogorov-Smirnov tests, corrected. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ks_2samp

ALPHA = 0.05
# With fewer on either side even a complete change could not be told after the correction.
LEAST_N = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """One feature's test: the largest distance between the two distribution functions, its p-value, and the corrected level."""

    feature: str
    distance: float
    p: float
    level: float
    reference_n: int
    window_n: int

    @property
    def drifts(self) -> bool:
        """Whether the change is beyond chance after the correction."""
        return self.p <= self.level

    @property
    def too_small(self) -> bool:
        """Whether there were too few on a side to test at all."""
        return min(self.reference_n, self.window_n) < LEAST_N


def drifts(
    reference: Mapping[str, ArrayLike], window: Mapping[str, ArrayLike], *, windows: int = 1, alpha: float = ALPHA
) -> tuple[Drift, ...]:
    """Return the test of each feature of `reference`, in its order.

    Each is made at alpha / (features x windows) (Bonferroni), so that among all features of `windows` windows that look just
    like the reference a false alarm comes with a chance of at most alpha, whatever the features have to do with each other.
    `windows` is the number of looks over which alpha is meant to hold, a day's for instance. Values that are not finite are
    left out. Ties, as in brightness counted in whole steps, make the test more careful. Raises KeyError where the window lacks
    a feature, ValueError where `windows` is below 1.
    """
    if windows < 1:
        raise ValueError(f"At least one window is looked at, not {windows}.")
    level = alpha / max(1, len(reference)) / windows
    return tuple(_test(feature, values, window[feature], level) for feature, values in reference.items())


def _test(feature: str, reference: ArrayLike, window: ArrayLike, level: float) -> Drift:
    before, now = (np.asarray(values, dtype=np.float64) for values in (reference, window))
    before, now = before[np.isfinite(before)], now[np.isfinite(now)]
    if min(len(before), len(now)) < LEAST_N:
        return Drift(feature, 0.0, 1.0, level, len(before), len(now))
    # The asymptotic law: the exact one takes long for large samples and differs little at these sizes.
    found = ks_2samp(before, now, method="asymp")
    return Drift(feature, float(found.statistic), float(found.pvalue), level, len(before), len(now))
