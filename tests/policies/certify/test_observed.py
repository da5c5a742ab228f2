"""What hand-set thresholds did: counts, exact intervals, and never a certificate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from policies.certify.observed import observed
from policies.certify.words import Form

TRUTH = [0, 0, 0, 1, 1, 0]
SAID = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.95, 0.05], [0.3, 0.7], [0.1, 0.9]]


def test_counts_at_thresholds_set_by_hand() -> None:
    found = {(one.label, one.form): (one.k, one.n) for one in observed(TRUTH, SAID, (0.7, 0.75))}
    assert found == {
        (0, Form.ESCAPE): (1, 2),
        (0, Form.OVERKILL): (2, 4),
        (1, Form.ESCAPE): (2, 2),
        (1, Form.OVERKILL): (1, 2),
    }


def test_the_interval_is_exact_and_nothing_is_certified() -> None:
    generator = np.random.default_rng(0)
    truth = (generator.random(500) < 0.1).astype(int)
    score = generator.uniform(0.5, 1, 500)
    for one in observed(truth, np.stack([score, 1 - score], axis=1), (0.8, None)):
        assert not one.certified
        if one.n:
            expected = binomtest(one.k, one.n).proportion_ci(0.95, method="exact")
            assert (one.low, one.high) == pytest.approx((expected.low, expected.high))
            assert one.rate == one.k / one.n


def test_what_is_never_decided_has_no_rate() -> None:
    found = observed(TRUTH, SAID, (None, None))[0]
    assert (found.rate, found.low, found.high, found.denominator) == (
        None,
        0.0,
        1.0,
        "audited items that are decided as this class",
    )


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        observed(TRUTH, SAID, (0.5,))
