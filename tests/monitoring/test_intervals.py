from __future__ import annotations

import pytest
from scipy.stats import binomtest

from monitoring.intervals import share


@pytest.mark.parametrize(("count", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (3, 10), (1, 200), (999, 1000), (7, 61)])
def test_the_interval_is_wilsons(count: int, n: int) -> None:
    found, expected = share(count, n), binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


def test_a_value_worked_out_by_hand() -> None:
    # Agresti and Coull (1998): 0 of 20 gives [0, 0.161] by Wilson's score.
    found = share(0, 20)
    assert (found.low, round(found.high, 3)) == (0.0, 0.161)


def test_of_nothing_everything_is_possible() -> None:
    found = share(0, 0)
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)


@pytest.mark.parametrize(("n", "too_small", "missing"), [(0, True, 10), (9, True, 1), (10, False, 0)])
def test_too_few_say_nothing(n: int, too_small: bool, missing: int) -> None:
    found = share(0, n)
    assert (found.too_small, found.missing) == (too_small, missing)


@pytest.mark.parametrize(("count", "n"), [(-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        share(count, n)
