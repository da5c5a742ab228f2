"""Automation bias: Newcombe's interval against his own table, and what may be said of whom."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.bias import Judged, difference, leaning
from monitoring.intervals import share


# Newcombe, Statistics in Medicine 17 (1998), table II, method 10 (score intervals, no continuity correction).
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_published_intervals(first: tuple[int, int], second: tuple[int, int], low: float, high: float) -> None:
    found = difference(share(*first), share(*second))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 1), st.floats(0, 1))
def test_the_interval_holds_the_difference_and_turns_with_the_arms(n: int, m: int, first: float, second: float) -> None:
    one, other = share(round(first * n), n), share(round(second * m), m)
    found, turned = difference(one, other), difference(other, one)
    assert found.value is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))


def test_the_interval_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    shown, blind = generator.binomial(60, 0.95, 1000), generator.binomial(40, 0.85, 1000)
    found = [difference(share(int(k), 60), share(int(j), 40)) for k, j in zip(shown, blind, strict=True)]
    assert np.mean([one.low <= 0.1 <= one.high for one in found]) > 0.93


def test_an_empty_arm_says_nothing() -> None:
    found = difference(share(5, 20), share(0, 0))
    assert (found.value, found.low, found.high, found.too_small, found.leans) == (None, -1.0, 1.0, True, False)


def judgements(inspector: str, *, shown: bool, agrees: int, of: int, wrong: bool | None = None) -> list[Judged]:
    """Return so many judgements, of which the first agree."""
    return [Judged(inspector, shown, number < agrees, wrong) for number in range(of)]


def test_everybody_and_each_inspector_with_the_items_on_which_the_model_was_wrong() -> None:
    judged = [
        *judgements("ines", shown=True, agrees=90, of=100),
        *judgements("ines", shown=False, agrees=60, of=100),
        *judgements("noor", shown=True, agrees=30, of=40, wrong=True),
        *judgements("noor", shown=False, agrees=4, of=40, wrong=True),
        *judgements("noor", shown=False, agrees=5, of=5, wrong=False),
    ]
    everybody, ines, noor = leaning(judged)
    assert [one.inspector for one in (everybody, ines, noor)] == [None, "ines", "noor"]
    assert (everybody.agreement.shown.count, everybody.agreement.shown.n) == (120, 140)
    assert (everybody.agreement.blind.count, everybody.agreement.blind.n) == (69, 145)
    assert ines.agreement.value == pytest.approx(0.3)
    assert ines.agreement.leans
    assert (ines.misses.shown.n, ines.misses.too_small) == (0, True)
    assert (noor.misses.shown.n, noor.misses.blind.n) == (40, 40)
    assert noor.misses.leans


def test_few_judgements_are_too_few_and_wide_intervals_too() -> None:
    few = leaning([*judgements("ines", shown=True, agrees=9, of=9), *judgements("ines", shown=False, agrees=0, of=90)])[0]
    wide = leaning([*judgements("ines", shown=True, agrees=9, of=12), *judgements("ines", shown=False, agrees=6, of=12)])[0]
    enough = leaning([*judgements("ines", shown=True, agrees=75, of=100), *judgements("ines", shown=False, agrees=70, of=100)])[
        0
    ]
    assert (few.agreement.too_small, few.agreement.leans) == (True, False)
    assert wide.agreement.too_small
    assert (enough.agreement.too_small, enough.agreement.leans) == (False, False)


def test_nobody_judged_anything() -> None:
    (everybody,) = leaning([])
    assert everybody.agreement.too_small
