"""The exact tests and bounds against scipy, published figures and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from policies.certify.binomial import expected_n, least_n, lower_bound, p_value, passes_needed, upper_bound

CASES = [(0, 1), (0, 598), (1, 598), (3, 1000), (7, 61), (30, 30), (29, 30), (120, 20_000)]


@pytest.mark.parametrize(("k", "n"), CASES)
def test_the_p_value_is_scipys_exact_binomial(k: int, n: int) -> None:
    expected = binomtest(k, n, 0.005, alternative="less").pvalue
    assert float(p_value(k, n, 0.005)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("k", "n"), CASES)
def test_the_bounds_are_scipys_clopper_pearson(k: int, n: int) -> None:
    interval = binomtest(k, n).proportion_ci(0.95, method="exact")
    assert float(lower_bound(k, n, 0.025)) == pytest.approx(interval.low, abs=1e-12)
    assert float(upper_bound(k, n, 0.025)) == pytest.approx(interval.high, abs=1e-12)


@given(n=st.integers(1, 5000), share=st.floats(0, 1), epsilon=st.floats(0.001, 0.5), level=st.floats(0.001, 0.2))
def test_a_test_passes_exactly_where_its_bound_keeps_the_limit(n: int, share: float, epsilon: float, level: float) -> None:
    k = round(share * n)
    p, bound = float(p_value(k, n, epsilon)), float(upper_bound(k, n, level))
    if abs(bound - epsilon) > 1e-9:
        assert (p <= level) == (bound <= epsilon)


def test_of_nothing_nothing_is_known() -> None:
    assert float(p_value(0, 0, 0.01)) == 1.0
    assert (float(lower_bound(0, 0, 0.05)), float(upper_bound(0, 0, 0.05))) == (0.0, 1.0)


def test_the_rule_of_three() -> None:
    # Hanley and Lippman-Hand (1983): with no event in n, the 95 % bound is close to 3 / n.
    for n in (100, 1000, 10_000):
        assert float(upper_bound(0, n, 0.05)) * n == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize(
    ("epsilon", "level", "n"), [(0.005, 0.05, 598), (0.005, 0.025, 736), (0.02, 0.05, 149), (0.01, 0.05, 299)]
)
def test_the_fewest_passes_that_can_certify(epsilon: float, level: float, n: int) -> None:
    assert passes_needed(epsilon, level) == n
    assert p_value(0, n, epsilon) <= level < p_value(0, n - 1, epsilon)


def test_the_least_n_is_that_of_trying_them_all() -> None:
    found = least_n(np.arange(6), 0.02, 0.05)
    by_trying = [next(n for n in range(1, 2000) if binom.cdf(k, n, 0.02) <= 0.05) for k in range(6)]
    assert found.tolist() == by_trying


def test_the_expected_n_certifies_half_of_the_time() -> None:
    n = expected_n(0.005, 0.002, 0.05)
    assert n is not None
    errors = np.random.default_rng(1).binomial(n, 0.002, size=20_000)
    assert (p_value(errors, n, 0.005) <= 0.05).mean() >= 0.49
    fewer = round(n * 0.6)
    errors = np.random.default_rng(1).binomial(fewer, 0.002, size=20_000)
    assert (p_value(errors, fewer, 0.005) <= 0.05).mean() < 0.5


@pytest.mark.parametrize("rate", [0.005, 0.006, 1.0, 0.004_999_99])
def test_no_number_of_audits_certifies_what_is_not_below_the_limit(rate: float) -> None:
    assert expected_n(0.005, rate, 0.05) is None


def test_a_model_without_errors_needs_the_fewest() -> None:
    assert expected_n(0.005, 0.0, 0.05) == 598
