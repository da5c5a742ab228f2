"""The one curve that the sliders read: against replays at each of its thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from monitoring.replay import UNKNOWN, Past, Trial, replay
from monitoring.threshold_curve import threshold_curve
from policies.modes import Mode
from tests.monitoring.test_replay import a_past


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), at=st.integers(0, 50))
def test_a_common_threshold_is_what_its_replay_says(seed: int, at: int) -> None:
    past, _ = a_past(seed, 300)
    curve = threshold_curve(past, 3, points=40)
    at = min(at, len(curve.thresholds) - 1)
    found = replay(past, Trial(Mode.PARTIAL, (float(curve.thresholds[at]),) * 3, 0.1), np.array([]))
    assert curve.automation[at] == pytest.approx(found.automated_share)
    assert (curve.escapes.k[at], curve.escapes.n[at]) == (found.escapes.k, found.escapes.n)
    assert (curve.overkill.k[at], curve.overkill.n[at]) == (found.overkill.k, found.overkill.n)


def test_any_combination_of_thresholds_adds_up_over_classes() -> None:
    past, _ = a_past(1, 500)
    curve = threshold_curve(past, 3, points=30)
    chosen = (3, 12, 25)
    thresholds = tuple(float(curve.thresholds[at]) for at in chosen)
    found = replay(past, Trial(Mode.PARTIAL, thresholds, 0.1), np.array([]))
    decided = sum(int(curve.decided[label, at]) for label, at in enumerate(chosen))
    rejected = sum(int(curve.rejected_good[label, at]) for label, at in enumerate(chosen))
    assert decided / curve.items == pytest.approx(found.automated_share)
    assert (rejected, curve.good) == (found.overkill.k, found.overkill.n)
    assert (curve.wrong.k[0, 3], curve.wrong.n[0, 3]) == (found.escapes.k, found.escapes.n)


def test_the_band_is_exact_and_open_where_nothing_was_audited() -> None:
    past, _ = a_past(2, 200, audit_rate=0.05)
    band = threshold_curve(past, 3).escapes
    for n, k, low, high in zip(band.n, band.k, band.low, band.high, strict=True):
        interval = binomtest(int(k), int(n)).proportion_ci(0.95, method="exact") if n else None
        expected = (interval.low, interval.high) if interval else (0.0, 1.0)
        assert (low, high) == pytest.approx(expected, abs=1e-12)
    assert (band.n == 0).any()


def test_looser_automates_more_and_the_loosest_everything_that_was_scored() -> None:
    past, _ = a_past(3, 1000)
    curve = threshold_curve(past, 3)
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.automation) >= 0).all()
    assert curve.automation[-1] == pytest.approx((past.said >= 0).mean())


def test_a_line_without_items_has_an_empty_curve() -> None:
    nothing = np.array([], dtype=np.int64)
    curve = threshold_curve(Past(nothing, np.array([]), np.array([]), nothing, hours=0.0), 2)
    assert (curve.items, curve.automation.tolist(), curve.good) == (0, [0.0], 0)
    assert (curve.escapes.low.tolist(), curve.escapes.high.tolist()) == ([0.0], [1.0])
    assert UNKNOWN not in curve.decided
