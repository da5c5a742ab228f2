"""A retry budget: asking again is for the odd failure, and must not multiply the load on a server that is down.

In any `window` seconds there are at most `floor` retries and `share` of the calls made in them: the rule of Finagle's
RetryBudget, counted exactly over a sliding window.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class Budget:
    """How many retries the calls of the last seconds have earned."""

    def __init__(
        self, *, share: float = 0.1, floor: int = 2, window: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._share = share
        self._floor = floor
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()
        self._retries: deque[float] = deque()

    def called(self) -> None:
        """Count a call; its retries are not calls."""
        with self._lock:
            self._calls.append(self._clock())
            self._forget(self._calls[-1])

    def take(self) -> bool:
        """Take one retry out of the budget; False where nothing is left."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            if len(self._retries) + 1 > self._floor + self._share * len(self._calls):
                return False
            self._retries.append(now)
            return True

    def _forget(self, now: float) -> None:
        for times in (self._calls, self._retries):
            while times and times[0] <= now - self._window:
                times.popleft()
