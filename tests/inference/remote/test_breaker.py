"""The circuit breaker, move by move and under any sequence of moves."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from inference.remote.breaker import Breaker, Permit, Rules, State
from inference.remote.errors import CircuitOpen


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(Rules(in_a_row=3, share=0.5, least_calls=10, window=30, first_rest=1, longest_rest=5), clock)


def fail(breaker: Breaker, times: int = 1, *, grave: bool = False) -> None:
    for _ in range(times):
        breaker.failed(breaker.enter(), grave=grave)


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.state is State.CLOSED
    fail(breaker)
    assert breaker.state is State.OPEN
    with pytest.raises(CircuitOpen, match=r"in 1\.0 seconds"):
        breaker.enter()


def test_an_answer_between_them_starts_the_count_again(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded(breaker.enter())
    fail(breaker, 2)
    assert breaker.state is State.CLOSED


def test_a_grave_failure_opens_it_at_once(breaker: Breaker) -> None:
    fail(breaker, grave=True)
    assert breaker.state is State.OPEN


def test_half_of_the_last_calls_open_it_without_a_row(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.succeeded(breaker.enter())
        assert breaker.state is State.CLOSED
        fail(breaker)
    assert breaker.state is State.OPEN


def test_old_calls_are_forgotten(breaker: Breaker, clock: Clock) -> None:
    for _ in range(4):
        breaker.succeeded(breaker.enter())
        fail(breaker)
    clock.now += 30
    breaker.succeeded(breaker.enter())
    fail(breaker)
    assert breaker.state is State.CLOSED


def test_after_its_rest_one_call_goes_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1
    probe = breaker.enter()
    assert (probe.probe, breaker.state) == (True, State.HALF_OPEN)
    with pytest.raises(CircuitOpen, match="has ended"):
        breaker.enter()
    breaker.succeeded(probe)
    assert breaker.state is State.CLOSED
    assert not breaker.enter().probe


def test_each_failed_probe_doubles_the_rest_up_to_a_limit(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    for rest in (1, 2, 4, 5, 5):
        clock.now += rest - 0.01
        with pytest.raises(CircuitOpen):
            breaker.enter()
        clock.now += 0.01
        breaker.failed(breaker.enter())


def test_once_closed_the_rest_is_short_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1
    fail(breaker)
    clock.now += 2
    breaker.succeeded(breaker.enter())
    fail(breaker, 3)
    clock.now += 1
    assert breaker.enter().probe


@pytest.mark.parametrize("verb", ["succeeded", "failed"])
def test_what_comes_late_counts_no_more(breaker: Breaker, clock: Clock, verb: str) -> None:
    late = breaker.enter()
    fail(breaker, 3)
    clock.now += 1
    probe = breaker.enter()
    getattr(breaker, verb)(late)
    assert breaker.state is State.HALF_OPEN
    breaker.succeeded(probe)
    fail(breaker, 2)
    getattr(breaker, verb)(late)
    assert breaker.state is State.CLOSED
    fail(breaker)
    assert breaker.state is State.OPEN


class AnyMoves(RuleBasedStateMachine):
    """Whatever is reported in whatever order: what a breaker promises holds."""

    limits = Rules(in_a_row=3, share=0.5, least_calls=4, window=10, first_rest=1, longest_rest=8)

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(self.limits, self.clock)
        self.out: list[Permit] = []
        self.opened_at = 0.0

    @rule()
    def enter(self) -> None:
        before = self.breaker.state
        try:
            permit = self.breaker.enter()
        except CircuitOpen:
            assert before is not State.CLOSED
            return
        # Nobody gets through an open one before it has rested, and only the probe gets through at all.
        assert permit.probe is (before is State.OPEN)
        if permit.probe:
            assert self.clock.now >= self.opened_at + self.limits.first_rest
        self.out.append(permit)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), well=st.booleans(), grave=st.booleans())
    def report(self, data: st.DataObject, well: bool, grave: bool) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = self.breaker.state
        if well:
            self.breaker.succeeded(permit)
            assert self.breaker.state in {before, State.CLOSED}
        else:
            self.breaker.failed(permit, grave=grave)
            assert self.breaker.state in {before, State.OPEN}
        if before is State.HALF_OPEN and self.breaker.state is not State.HALF_OPEN:
            assert permit.probe
        if before is not State.OPEN and self.breaker.state is State.OPEN:
            self.opened_at = self.clock.now

    @rule(seconds=st.floats(0, 12))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def at_most_one_probe_is_out(self) -> None:
        current = [permit for permit in self.out if permit.probe and permit.generation == self.breaker._generation]
        assert len(current) == (self.breaker.state is State.HALF_OPEN)

    @precondition(lambda self: self.breaker.state is State.OPEN)
    @rule()
    def it_lets_somebody_try_after_the_longest_rest(self) -> None:
        self.clock.now += self.limits.longest_rest
        permit = self.breaker.enter()
        assert permit.probe
        self.out.append(permit)


TestAnyMoves = AnyMoves.TestCase
TestAnyMoves.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
