"""Input drift: against scipy, over false alarms, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from monitoring.drift import drifts

FEATURES = ("brightness", "contrast", "sharpness", "score")


def values(generator: np.random.Generator, n: int, **shift: float) -> dict[str, np.ndarray]:
    """Return so many normal values of each feature, some shifted."""
    return {name: generator.normal(shift.get(name, 0.0), 1, size=n) for name in FEATURES}


def test_it_is_the_two_sample_test_at_the_corrected_level() -> None:
    generator = np.random.default_rng(1)
    before, now = values(generator, 800), values(generator, 200, contrast=0.3)
    for one in drifts(before, now, windows=30):
        expected = ks_2samp(before[one.feature], now[one.feature], method="asymp")
        assert (one.distance, one.p) == pytest.approx((expected.statistic, expected.pvalue))
        assert one.level == pytest.approx(0.05 / 4 / 30)
        assert one.drifts == (one.p <= one.level)


def test_the_feature_that_moved_is_named() -> None:
    generator = np.random.default_rng(2)
    found = drifts(values(generator, 800), values(generator, 200, brightness=-0.8), windows=30)
    assert [one.feature for one in found if one.drifts] == ["brightness"]


def test_false_alarms_over_many_windows_are_rarer_than_alpha() -> None:
    generator = np.random.default_rng(3)
    alarms = 0
    for _ in range(60):
        before = values(generator, 400)
        alarms += any(one.drifts for _ in range(5) for one in drifts(before, values(generator, 100), windows=5))
    assert alarms / 60 <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5


def test_too_few_or_unusable_values_say_nothing() -> None:
    (found,) = drifts({"score": np.zeros(100)}, {"score": [np.nan] * 50 + [1.0] * 19})
    assert (found.too_small, found.drifts, found.window_n) == (True, False, 19)


def test_a_constant_feature_that_stays_does_not_drift_and_one_that_jumps_does() -> None:
    same, jumped = (drifts({"score": np.ones(100)}, {"score": np.full(50, value)})[0] for value in (1.0, 2.0))
    assert (same.drifts, jumped.drifts) == (False, True)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        drifts({}, {}, windows=0)
    with pytest.raises(KeyError):
        drifts({"score": [1.0]}, {})
