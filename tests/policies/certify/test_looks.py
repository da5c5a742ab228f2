"""Looking again costs its part of delta."""

from __future__ import annotations

import pytest

from policies.certify.looks import part_of_delta


def test_all_looks_together_use_delta_and_no_more() -> None:
    assert [part_of_delta(0.06, look) for look in (1, 2, 3)] == pytest.approx([0.03, 0.01, 0.005])
    assert sum(part_of_delta(0.05, look) for look in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)


def test_looks_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        part_of_delta(0.05, 0)
