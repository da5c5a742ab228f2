"""The guardrail's evidence: against a plain sum over all bets, over false alarms, and over how soon it acts."""

from __future__ import annotations

import json
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.eprocess import MULTIPLES, alarm, begin, curve, threshold, update

LIMIT = 0.02


def by_brute_force(outcomes: list[int], limit: float) -> float:
    """Return the evidence as its definition says: every alternative, every start, and the cash of starts yet to come."""
    half = 10 / limit
    total = half / (half + len(outcomes) + 1)
    for start in range(len(outcomes) + 1):
        weight = half / (half + start) / (half + start + 1)
        for multiple in MULTIPLES:
            wealth = 1.0
            for wrong in outcomes[start:]:
                odds = multiple * limit / (1 - limit)
                chance = odds / (1 + odds)
                wealth *= chance / limit if wrong else (1 - chance) / (1 - limit)
            total += weight * wealth / len(MULTIPLES)
    return total


@pytest.mark.parametrize("outcomes", [[0], [1], [0, 0, 1, 0, 1, 1], [0] * 30 + [1, 1, 0, 1] * 5])
def test_the_evidence_is_that_of_its_definition(outcomes: list[int]) -> None:
    assert exp(curve(outcomes, LIMIT)[-1]) == pytest.approx(by_brute_force(outcomes, LIMIT), rel=1e-9)


def test_the_mean_over_all_streams_at_the_limit_is_one() -> None:
    # Every stream of ten audits, each with its probability at a limit of 30 %.
    streams = (np.arange(1024)[:, None] >> np.arange(10)) & 1
    chance = np.prod(np.where(streams, 0.3, 0.7), axis=1)
    assert (chance[:, None] * np.exp(curve(streams, 0.3))).sum(axis=0) == pytest.approx(np.ones(10))


@settings(max_examples=50, deadline=None)
@given(outcomes=st.lists(st.integers(0, 1), min_size=1, max_size=120), cuts=st.lists(st.integers(0, 120), max_size=5))
def test_going_on_from_a_stored_state_is_the_same_as_all_at_once(outcomes: list[int], cuts: list[int]) -> None:
    state = begin(LIMIT)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(outcomes)], strict=True):
        state = json.loads(json.dumps(update(state, outcomes[start:end])))
    whole = curve(outcomes, LIMIT)
    assert state["log_e"] == pytest.approx(whole[-1], abs=1e-9)
    assert state["log_peak"] == pytest.approx(max(0.0, whole.max()), abs=1e-9)
    assert (state["audits"], state["errors"]) == (len(outcomes), sum(outcomes))


def test_an_alarm_stays_though_things_got_better() -> None:
    bad = update(begin(0.005), [1] * 6)
    assert alarm(bad)
    later = update(bad, [0] * 5000)
    assert later["log_e"] < threshold()
    assert alarm(later)


def test_several_streams_share_alpha() -> None:
    state = begin(0.005)
    while not alarm(state):
        state = update(state, [1])
    assert threshold(0.05, streams=4) == pytest.approx(log(80))
    assert alarm(state) == (state["log_peak"] >= log(20))
    assert alarm(state, streams=1000) is False


def test_false_alarms_at_the_limit_are_rarer_than_alpha_though_looked_at_after_each_audit() -> None:
    outcomes = np.random.default_rng(1).random((300, 4000)) < LIMIT
    false_alarms = (curve(outcomes, LIMIT) >= threshold()).any(axis=1).mean()
    assert 0 < false_alarms <= 0.05


def test_dependent_audits_do_not_raise_false_alarms() -> None:
    # Errors come in bursts, but given the past an error is never likelier than the limit.
    generator = np.random.default_rng(2)
    chance = np.repeat(generator.choice([0.0, LIMIT], size=(300, 40)), 100, axis=1)
    outcomes = generator.random((300, 4000)) < chance
    assert (curve(outcomes, LIMIT) >= threshold()).any(axis=1).mean() <= 0.05


@pytest.mark.parametrize(("rate", "soon"), [(0.08, 170), (0.5, 12)])
def test_a_line_that_gets_worse_is_noticed(rate: float, soon: int) -> None:
    chance = np.where(np.arange(2000) < 750, LIMIT / 2, rate)
    reached = curve(np.random.default_rng(3).random((200, 2000)) < chance, LIMIT) >= threshold()
    after = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1 - 750, 9999)
    assert 0 < np.median(after) <= soon


def test_a_long_quiet_stream_stays_finite() -> None:
    state = update(begin(0.001), np.zeros(200_000))
    assert np.isfinite(state["log_bets"]).all()
    assert state["log_e"] < 0


def test_no_outcome_changes_nothing() -> None:
    state = begin(LIMIT)
    assert update(state, []) == state


@pytest.mark.parametrize("limit", [0.0, 1.0, -1.0])
def test_a_limit_that_says_nothing_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        begin(limit)
