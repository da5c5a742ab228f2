"""A circuit breaker: a server that keeps failing is left alone, and asked again carefully.

Closed, it lets every call through. It opens after some failures in a row, when too large a share of the last calls failed, or
at once after a grave failure, which cost its callers all the time they had. Open, it refuses until it has rested; then it is
half open: one call goes through as a probe. Its success closes the breaker; its failure opens it again, for twice as long.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from inference.remote.errors import CircuitOpen


class State(StrEnum):
    """Where a breaker is."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Rules:
    """When to open, and for how many seconds. Resting starts short, because a false alarm then costs little."""

    in_a_row: int = 3
    share: float = 0.5
    # Fewer calls than these within `window` seconds have no share worth the name.
    least_calls: int = 10
    window: float = 30.0
    first_rest: float = 1.0
    longest_rest: float = 30.0


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call. What is reported under a permit from before the last change of state counts no more."""

    generation: int
    probe: bool


class Breaker:
    """The state of one server, as its callers here have seen it. Every permit is reported once: succeeded or failed."""

    def __init__(self, rules: Rules = Rules(), clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._generation = 0
        self._in_a_row = 0
        self._calls: deque[tuple[float, bool]] = deque()
        self._rest = rules.first_rest
        self._opens_again = 0.0

    @property
    def state(self) -> State:
        """Where it is. An open one stays open until somebody calls, however long that takes."""
        return self._state

    def enter(self) -> Permit:
        """Return leave to call. Raises `CircuitOpen`."""
        with self._lock:
            if self._state is State.CLOSED:
                return Permit(self._generation, probe=False)
            resting = self._opens_again - self._clock()
            if self._state is State.OPEN and resting <= 0:
                self._move(State.HALF_OPEN)
                return Permit(self._generation, probe=True)
            after = f"in {resting:.1f} seconds" if self._state is State.OPEN else "when the call that tries it has ended"
            raise CircuitOpen(f"The server kept failing and is left alone; it is tried again {after}.")

    def succeeded(self, permit: Permit) -> None:
        """Report an answer."""
        with self._lock:
            if permit.generation != self._generation:
                return
            if permit.probe:
                self._move(State.CLOSED)
            self._in_a_row = 0
            self._count(failed=False)

    def failed(self, permit: Permit, *, grave: bool = False) -> None:
        """Report that there was none."""
        with self._lock:
            if permit.generation != self._generation:
                return
            if permit.probe:
                self._open(min(self._rest * 2, self._rules.longest_rest))
                return
            self._in_a_row += 1
            self._count(failed=True)
            if grave or self._in_a_row >= self._rules.in_a_row or self._too_many():
                self._open(self._rules.first_rest)

    def _open(self, rest: float) -> None:
        self._rest = rest
        self._opens_again = self._clock() + rest
        self._move(State.OPEN)

    def _move(self, state: State) -> None:
        self._state = state
        self._generation += 1
        if state is State.CLOSED:
            self._in_a_row = 0
            self._calls.clear()

    def _count(self, *, failed: bool) -> None:
        now = self._clock()
        self._calls.append((now, failed))
        while self._calls[0][0] <= now - self._rules.window:
            self._calls.popleft()

    def _too_many(self) -> bool:
        failures = sum(failed for _, failed in self._calls)
        return len(self._calls) >= self._rules.least_calls and failures >= self._rules.share * len(self._calls)
