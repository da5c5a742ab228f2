"""Fixed sequences that share delta: how far each comes, what is handed on, and how often they lie."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from policies.certify.sequences import Passed, rejected, run


def test_a_sequence_stops_at_its_first_failure() -> None:
    assert rejected(np.array([0.01, 0.02, 0.3, 0.0001]), 0.05) == 2
    assert rejected(np.array([0.01, 0.02]), 0.05) == 2
    assert rejected(np.array([np.nan, 0.0]), 0.05) == 0


def test_delta_is_split_and_a_finished_sequence_hands_its_part_on() -> None:
    found = run([np.array([0.001, 0.02]), np.array([0.02, 0.04, 0.06])], 0.05)
    assert found == [Passed(2, 0.025), Passed(2, 0.05)]


def test_what_stopped_hands_nothing_on() -> None:
    found = run([np.array([0.9]), np.array([0.02, 0.04])], 0.05)
    assert found == [Passed(0, 0.025), Passed(1, 0.025)]


def test_parts_go_equally_to_those_still_open_and_on_from_there() -> None:
    easy, harder, hardest = np.array([0.001]), np.array([0.02]), np.array([0.001, 0.029, 0.031])
    found = run([easy, harder, hardest], 0.03)
    # 0.01 each; the easy one's goes in halves; 0.015 is too little for the harder one, and for the hardest's second step.
    assert [one.steps for one in found] == [1, 0, 1]
    assert [one.level for one in found] == pytest.approx([0.01, 0.015, 0.015])
    assert run([easy, np.array([0.012]), hardest], 0.03)[2] == Passed(2, pytest.approx(0.03))


def test_nothing_to_test_is_nothing_certified() -> None:
    assert run([], 0.05) == []


def test_a_false_claim_in_any_of_three_sequences_is_as_rare_as_delta() -> None:
    # Each sequence has two steps truly below its limit and then one exactly at it; the first is finished and hands on.
    generator = np.random.default_rng(3)
    lies = 0
    for _ in range(3000):
        good = binom.cdf(generator.binomial(3000, [0.002, 0.004, 0.005]), 3000, 0.01)
        tests = [binom.cdf(generator.binomial(2000, [0.003, 0.005, 0.01]), 2000, 0.01) for _ in range(2)]
        found = run([good, *tests], 0.05)
        lies += any(one.steps == 3 for one in found[1:])
    assert lies / 3000 <= 0.05 + 3 * (0.05 * 0.95 / 3000) ** 0.5
    assert lies > 0
