"""Certified thresholds: what they keep, what they never claim, and how often they are wrong."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax
from scipy.stats import binomtest, norm

from policies.certify.certify import certify
from policies.certify.scored import lean
from policies.certify.words import Certificate, Form, Limit, Shortage, days

OK, BAD = 0, 1
ESCAPE = Limit(OK, Form.ESCAPE, 0.02)
OVERKILL = Limit(OK, Form.OVERKILL, 0.02)
Line = tuple[np.ndarray, np.ndarray]


def a_line(generator: np.random.Generator, n: int, bad: float = 0.1, apart: float = 2.5) -> Line:
    """Return truth and probabilities of a line of two classes whose scores are normal, `apart` deviations from each other."""
    truth = (generator.random(n) < bad).astype(int)
    said = expit(apart * (generator.normal(size=n) + apart * truth) - apart**2 / 2)
    return truth, np.stack([1 - said, said], axis=1)


def true_rates(thresholds: tuple[float | None, ...], bad: float = 0.1, apart: float = 2.5) -> tuple[float, float]:
    """Return the true escape and overkill rates of thresholds on `a_line`."""
    low, high = (np.log((1 - t) / t) if t else np.inf for t in thresholds)
    passed_at = (low + apart**2 / 2) / apart if thresholds[OK] else -np.inf
    rejected_at = (apart**2 / 2 - high) / apart if thresholds[BAD] else np.inf
    escaped, passed = bad * norm.cdf(passed_at - apart), (1 - bad) * norm.cdf(passed_at)
    return (escaped / (escaped + passed) if passed else 0.0), float(norm.sf(rejected_at))


def by_hand(truth: np.ndarray, probabilities: np.ndarray, certificate: Certificate) -> tuple[int, int]:
    """Count n and k item by item, as `decide` would decide."""
    n = k = 0
    for actual, row in zip(truth, probabilities, strict=True):
        said = max(range(len(row)), key=lambda label: row[label])
        least = certificate.thresholds[said]
        decided = said if least is not None and row[said] >= least else None
        counted = decided == certificate.label if certificate.form is Form.ESCAPE else actual == certificate.label
        n += counted
        wrong = actual != certificate.label if certificate.form is Form.ESCAPE else decided not in (None, certificate.label)
        k += counted and wrong
    return n, k


def test_a_certificate_counts_what_its_thresholds_decide() -> None:
    truth, probabilities = a_line(np.random.default_rng(1), 2000)
    found = certify(truth, probabilities, [ESCAPE, OVERKILL], 0.05)
    assert len(found.certificates) == 2
    for one in found.certificates:
        assert (one.n, one.k) == by_hand(truth, probabilities, one)
        assert one.bound == pytest.approx(binomtest(one.k, one.n).proportion_ci(1 - 2 * one.level, method="exact").high)
        assert one.bound <= one.epsilon
    escape, overkill = found.certificates
    assert (escape.threshold, overkill.threshold) == found.thresholds
    assert escape.denominator == "audited items that are decided as this class"
    assert overkill.denominator == "audited items that truly are this class"


def test_limits_are_broken_no_more_often_than_delta_and_automation_is_worth_having() -> None:
    limits, broken, passed = [Limit(OK, Form.ESCAPE, 0.01), Limit(OK, Form.OVERKILL, 0.01)], 0, []
    for seed in range(300):
        truth, probabilities = a_line(np.random.default_rng(seed), 3000)
        found = certify(truth, probabilities, limits, 0.1)
        escape, overkill = true_rates(found.thresholds)
        broken += escape > 0.01 or overkill > 0.01
        passed.append(found.certificates[0].n / 3000 if found.certificates else 0)
    assert broken / 300 <= 0.1 + 3 * (0.1 * 0.9 / 300) ** 0.5
    assert broken > 0
    # The best thresholds pass .80 of the items.
    assert np.mean(passed) > 0.7


def test_other_items_may_place_the_thresholds() -> None:
    generator = np.random.default_rng(5)
    truth, probabilities = a_line(generator, 3000)
    _, others = a_line(generator, 9000)
    found = certify(truth, probabilities, [ESCAPE, OVERKILL], 0.05, reference=others)
    beside = certify(truth, probabilities, [ESCAPE, OVERKILL], 0.05)
    assert found.thresholds != beside.thresholds
    assert found.thresholds == pytest.approx(beside.thresholds, abs=0.05)
    just_above = {*np.nextafter(others.max(axis=1), 2), 0.5}
    assert set(found.thresholds) <= just_above


def test_three_classes_keep_all_their_limits_together() -> None:
    limits = [
        Limit(0, Form.ESCAPE, 0.03), Limit(1, Form.ESCAPE, 0.1), Limit(0, Form.OVERKILL, 0.03), Limit(2, Form.OVERKILL, 0.08),
    ]  # fmt: skip
    generator = np.random.default_rng(11)
    test_truth, test_said = three_classes(generator, 200_000)
    scored = lean(test_said)
    broken = automated = 0.0
    for _ in range(100):
        found = certify(*three_classes(generator, 2500), limits, 0.1)
        least = np.array([np.inf if t is None else t for t in found.thresholds])
        decided = np.where(scored.score >= least[scored.said], scored.said, -1)
        automated += (decided >= 0).mean() / 100
        rates = [
            (test_truth[decided == 0] != 0).mean() if (decided == 0).any() else 0,
            (test_truth[decided == 1] != 1).mean() if (decided == 1).any() else 0,
            ((decided != 0) & (decided >= 0))[test_truth == 0].mean(),
            ((decided != 2) & (decided >= 0))[test_truth == 2].mean(),
        ]
        broken += any(rate > limit.epsilon for rate, limit in zip(rates, limits, strict=True))
    assert broken / 100 <= 0.1 + 3 * (0.1 * 0.9 / 100) ** 0.5
    assert automated > 0.4


def three_classes(generator: np.random.Generator, n: int) -> Line:
    truth = generator.choice(3, size=n, p=[0.6, 0.2, 0.2])
    return truth, softmax(generator.normal(size=(n, 3)) + 2.5 * np.eye(3)[truth], axis=1)


def test_a_risk_that_rises_and_falls_is_not_stepped_over() -> None:
    # The surest items are bad ones: looser thresholds look fine on the whole, but the sequence must not get there.
    generator = np.random.default_rng(2)
    score = generator.uniform(0.5, 1, size=6000)
    truth = ((score > 0.85) & (generator.random(6000) < 0.1)).astype(int)
    found = certify(truth, np.stack([score, 1 - score], axis=1), [Limit(OK, Form.ESCAPE, 0.05)], 0.05)
    assert truth.mean() < 0.04
    assert found.thresholds == (None, None)
    assert isinstance(found.outcomes[0], Shortage)


def test_too_few_audits_say_how_many_are_missing() -> None:
    truth, probabilities = a_line(np.random.default_rng(3), 150, bad=0.03, apart=3.0)
    limit = Limit(OK, Form.ESCAPE, 0.005)
    found = certify(truth, probabilities, [limit], 0.05)
    (shortage,) = found.shortages
    assert found.thresholds == (None, None)
    assert shortage.have == 150
    assert shortage.need is not None
    assert shortage.missing == shortage.need - 150
    # 598 have to pass without error, and fewer than all pass.
    assert shortage.need > 598
    assert days(shortage, volume_per_day=1000, audit_rate=0.05) == -(-shortage.missing // 50)
    assert days(shortage, volume_per_day=0, audit_rate=0.05) is None
    certified = [
        bool(certify(*a_line(np.random.default_rng(seed), shortage.need, bad=0.03, apart=3.0), [limit], 0.05).certificates)
        for seed in range(40)
    ]
    assert np.mean(certified) > 0.3


def test_no_number_of_audits_helps_a_model_that_is_wrong_where_it_is_surest() -> None:
    generator = np.random.default_rng(4)
    score = generator.uniform(0.5, 1, size=500)
    truth = (generator.random(500) < 0.3).astype(int)
    (shortage,) = certify(truth, np.stack([score, 1 - score], axis=1), [Limit(OK, Form.ESCAPE, 0.01)], 0.05).shortages
    assert (shortage.need, shortage.missing, days(shortage, 1000, 0.1)) == (None, None, None)


def test_a_rare_class_lacks_audits_for_its_overkill_and_holds_the_others_back() -> None:
    truth, probabilities = a_line(np.random.default_rng(6), 3000, bad=0.01)
    found = certify(truth, probabilities, [ESCAPE, Limit(BAD, Form.OVERKILL, 0.02)], 0.05)
    escape, overkill = found.outcomes
    assert isinstance(overkill, Shortage)
    assert overkill.need is not None
    # The escape limit was certified to its end and handed its part of delta on: 149 items of the class would do, not 183.
    assert overkill.need == pytest.approx(149 * 3000 / truth.sum(), rel=0.01)
    # What keeps the negative back is the other limit: its own certificate says what it would allow.
    assert found.thresholds[OK] is None
    assert isinstance(escape, Certificate)
    assert escape.threshold is not None


def test_a_class_without_any_limit_is_never_decided_alone() -> None:
    truth, probabilities = a_line(np.random.default_rng(7), 3000)
    found = certify(truth, probabilities, [ESCAPE], 0.05)
    assert found.thresholds[OK] is not None
    assert found.thresholds[BAD] is None
    assert certify(truth, probabilities, [], 0.05).thresholds == (None, None)


def test_labels_do_not_move_the_grid() -> None:
    _, probabilities = a_line(np.random.default_rng(8), 2000)
    perfect, none = probabilities.argmax(axis=1), np.ones(2000, dtype=int)
    found = certify(perfect, probabilities, [ESCAPE], 0.05)
    # Without errors the sequence runs to its end, where all that lean to the class pass.
    assert found.thresholds[OK] == 0.5
    assert certify(none, probabilities, [ESCAPE], 0.05).thresholds[OK] is None


def test_equal_scores_are_certified_together_or_not_at_all() -> None:
    truth = np.zeros(2000, dtype=int)
    probabilities = np.tile([1.0, 0.0], (2000, 1))
    assert certify(truth, probabilities, [ESCAPE], 0.05).thresholds[OK] == 0.5
    truth[:200] = 1
    assert certify(truth, probabilities, [ESCAPE], 0.05).thresholds[OK] is None


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 800), classes=st.integers(2, 4), delta=st.floats(0.01, 0.3))
def test_every_certificate_keeps_its_limit_on_its_own_data(seed: int, n: int, classes: int, delta: float) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, size=n)
    said = softmax(generator.normal(size=(n, classes)) + 4 * np.eye(classes)[truth], axis=1).round(2)
    limits = [Limit(label, form, 0.05) for label in range(classes) for form in Form if generator.random() < 0.6]
    found = certify(truth, said, limits, delta)
    assert [(one.label, one.form) for one in found.outcomes] == [(limit.label, limit.form) for limit in limits]
    for one in found.certificates:
        assert one.bound <= one.epsilon + 1e-12
        assert one.level <= delta + 1e-12
        assert (one.n, one.k) == by_hand(truth, said, one)
    for shortage in found.shortages:
        assert shortage.need is None or shortage.need > n


def test_stricter_limits_never_automate_more() -> None:
    truth, probabilities = a_line(np.random.default_rng(9), 4000)
    kept = [certify(truth, probabilities, [Limit(OK, Form.ESCAPE, e)], 0.05).thresholds[OK] or 2 for e in (0.005, 0.01, 0.05)]
    assert all(strict >= loose for strict, loose in pairwise(kept))


@pytest.mark.parametrize(
    ("truth", "limits", "delta", "why"),
    [
        ([0, 1], [ESCAPE], 0.05, "do not fit"),
        ([0, 1, 2], [ESCAPE], 0.05, "A truth is no class"),
        ([0, 1, 1], [Limit(2, Form.ESCAPE, 0.1)], 0.05, "on no class"),
        ([0, 1, 1], [ESCAPE, ESCAPE], 0.05, "Two limits"),
        ([0, 1, 1], [ESCAPE], 0.0, "Delta"),
    ],
)
def test_what_does_not_fit_is_refused(truth: list[int], limits: list[Limit], delta: float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        certify(truth, [[0.9, 0.1]] * 3, limits, delta)


def test_a_limit_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Limit(OK, Form.ESCAPE, 0.0)
    with pytest.raises(ValueError, match="two classes"):
        lean([[1.0]])
