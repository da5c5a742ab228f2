"""Retries are a share of the calls, whatever happens."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from inference.remote.budget import Budget

SHARE, FLOOR, WINDOW = 0.2, 3, 10.0
MOVES = st.lists(st.tuples(st.sampled_from(["call", "retry"]), st.floats(0, 4)), max_size=80)


@given(MOVES)
def test_no_window_has_more_retries_than_its_calls_have_earned(moves: list[tuple[str, float]]) -> None:
    now = 0.0
    budget = Budget(share=SHARE, floor=FLOOR, window=WINDOW, clock=lambda: now)
    calls: list[float] = []
    retries: list[float] = []
    for move, pause in moves:
        now += pause
        if move == "call":
            budget.called()
            calls.append(now)
            continue
        earned = FLOOR + SHARE * sum(one > now - WINDOW for one in calls)
        spent = sum(one > now - WINDOW for one in retries)
        took = budget.take()
        # It is neither overdrawn nor held back.
        assert took is (spent + 1 <= earned)
        if took:
            retries.append(now)


def test_a_caller_that_asks_seldom_may_still_ask_again() -> None:
    budget = Budget(share=0.1, floor=2, clock=lambda: 0.0)
    budget.called()
    assert [budget.take() for _ in range(4)] == [True, True, False, False]


def test_what_is_old_is_not_kept() -> None:
    now = 0.0
    budget = Budget(window=10, clock=lambda: now)
    for _ in range(1000):
        now += 1
        budget.called()
    assert len(budget._calls) == 10
