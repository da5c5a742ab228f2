"""What a policy would have done: against `decide` item by item, exact intervals, and steps."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import t as student

from monitoring.replay import PERSON, UNKNOWN, Past, Trial, flipped, replay
from policies.decide import Route, Rule, decide
from policies.modes import Mode

CLASSES = ("ok", "scratch", "dent")
SECONDS = np.array([4.0, 6.0, 8.0, 5.0, 7.0])


def a_past(seed: int, n: int, audit_rate: float = 0.2, decimals: int = 2) -> tuple[Past, np.ndarray]:
    """Return a past of three classes and its probabilities; every seventh item was scored by no model."""
    generator = np.random.default_rng(seed)
    table = generator.dirichlet([4, 1, 1], size=n).round(decimals)
    draw = generator.random(n)
    truth = np.where(draw < audit_rate, generator.integers(0, 3, size=n), UNKNOWN)
    said = np.where(np.arange(n) % 7 == 3, PERSON, table.argmax(axis=1))
    return Past(said, table.max(axis=1), draw, truth, hours=24.0), table


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    mode=st.sampled_from(Mode),
    thresholds=st.tuples(*[st.one_of(st.none(), st.sampled_from([0.4, 0.55, 0.7, 0.9]))] * 3),
    audit_rate=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_it_does_what_the_rule_does(
    seed: int, mode: Mode, thresholds: tuple[float | None, float | None, float | None], audit_rate: float
) -> None:
    past, table = a_past(seed, 40)
    given = {name: value for name, value in zip(CLASSES, thresholds, strict=True) if value is not None}
    found = replay(past, Trial(mode, thresholds, audit_rate), SECONDS)
    looked_at = 0
    for row, said, draw, decided in zip(table, past.said, past.draw, found.decided, strict=True):
        scores = None if said == PERSON else dict(zip(CLASSES, row, strict=True))
        verdict = decide(Rule(mode, given, audit_rate), scores, draw)
        assert (verdict.route is Route.AUTOMATE) == (decided != PERSON)
        if verdict.answer is not None:
            assert CLASSES[decided] == verdict.answer
        looked_at += verdict.look is not None
    assert found.looked_at == looked_at
    assert found.referrals_per_hour == pytest.approx(looked_at / 24)
    assert found.automated_share == pytest.approx((found.decided != PERSON).mean())


def test_errors_come_from_the_audited_alone_with_exact_intervals() -> None:
    past, _ = a_past(1, 3000)
    found = replay(past, Trial(Mode.PARTIAL, (0.6, 0.5, None), 0.1), SECONDS)
    audited = past.truth != UNKNOWN
    passed, rejected = found.decided == 0, found.decided > 0
    escapes = binomtest(int((passed & audited & (past.truth != 0)).sum()), int((passed & audited).sum()))
    overkill = binomtest(int((rejected & (past.truth == 0)).sum()), int((past.truth == 0).sum()))
    for errors, expected in ((found.escapes, escapes), (found.overkill, overkill)):
        interval = expected.proportion_ci(0.95, method="exact")
        assert errors.rate is not None
        assert (errors.k, errors.n) == (expected.k, expected.n)
        assert (errors.rate.value, errors.rate.low, errors.rate.high) == pytest.approx(
            (expected.statistic, interval.low, interval.high)
        )
    assert found.escapes.expected is not None
    assert found.escapes.expected.value == pytest.approx(escapes.statistic * passed.sum())
    assert found.overkill.expected is not None
    assert found.overkill.expected.value == pytest.approx(3000 * found.overkill.k / audited.sum())


def test_reviewer_hours_are_the_looks_times_the_mean_seconds() -> None:
    past, _ = a_past(2, 600)
    hours = replay(past, Trial(Mode.ASSIST, (None,) * 3, 0.1), SECONDS).reviewer_hours
    low, high = student.interval(0.95, 4, SECONDS.mean(), SECONDS.std(ddof=1) / 5**0.5)
    assert hours is not None
    assert (hours.value, hours.low, hours.high) == pytest.approx((1.0, low / 6, high / 6))


def test_nothing_known_is_none() -> None:
    nothing = np.array([], dtype=np.int64)
    past = Past(nothing, np.array([]), np.array([]), nothing, hours=0.0)
    found = replay(past, Trial(Mode.FULL, (None, None), 0.1), np.array([]))
    assert (found.automated_share, found.referrals_per_hour, found.reviewer_hours) == (0.0, 0.0, None)
    assert (found.escapes.rate, found.overkill.expected) == (None, None)
    one = replay(a_past(3, 10)[0], Trial(Mode.SHADOW, (None,) * 3, 0.1), np.array([6.0])).reviewer_hours
    assert one is not None
    assert (one.value, one.low, one.high) == (pytest.approx(1 / 60), 0.0, float("inf"))


def test_flipped_items_are_those_decided_otherwise() -> None:
    before, after = np.array([0, 1, PERSON, 2, PERSON]), np.array([0, 2, 0, PERSON, PERSON])
    assert flipped(before, after).tolist() == [1, 2, 3]


def test_a_hundred_thousand_items_take_no_more_steps_than_a_thousand() -> None:
    """Whole columns at once: a loop over items anywhere would show here, on a machine of any speed."""
    few, many = (a_past(4, n)[0] for n in (1_000, 100_000))
    _steps(few)  # the first time also imports and fills caches
    assert _steps(many) < 2 * _steps(few)


def _steps(past: Past) -> int:
    """Count the lines of Python that a change takes to be tried on a past."""
    lines = 0

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    tracer = sys.gettrace()
    sys.settrace(count)
    try:
        before = replay(past, Trial(Mode.PARTIAL, (0.8, 0.6, 0.6), 0.1), SECONDS)
        after = replay(past, Trial(Mode.PARTIAL, (0.7, 0.6, 0.6), 0.1), SECONDS)
        changed = flipped(before.decided, after.decided)
    finally:
        sys.settrace(tracer)
    assert len(changed) > 0
    return lines
