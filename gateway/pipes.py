"""A bounded pipe between two threads: who puts waits for room, who takes waits for something, and each sees the other leave."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Pipe(Generic[T]):
    """Holds things of at most `most` bytes together, or a single larger one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: deque[tuple[T, int]] = deque()
        self._weight = 0
        lock = threading.Lock()
        self._room, self._come = threading.Condition(lock), threading.Condition(lock)
        # How many the taker waits for: waking it for each would cost more than what it waits for.
        self._wanted = 1
        self._finished = self._closed = False
        # Things that ever came; another thread looks at it to see whether anything moves.
        self.put_ever = 0

    def put(self, one: T, weight: int, *, wait: float | None = None) -> bool:
        """Put something of `weight` bytes in, once there is room.

        Return False where nobody takes any more, or there was no room for `wait` seconds (None: for good).
        """
        with self._room:
            self._room.wait_for(lambda: self._closed or not self._held or self._weight + weight <= self._most, wait)
            if self._closed or (self._held and self._weight + weight > self._most):
                return False
            self._held.append((one, weight))
            self._weight += weight
            self.put_ever += 1
            if self._enough():
                self._come.notify()
        return True

    def take(self, most: int, *, linger: float = 0.0, wait: float | None = None) -> list[T]:
        """Return up to `most` things in their order.

        Waits up to `wait` seconds for the first (None: for good) and `linger` seconds for company. Nothing comes back when
        the time is over, or when it is `ended`.
        """
        with self._come:
            self._wanted = 1
            self._come.wait_for(self._enough, wait)
            if linger and self._held:
                self._wanted = most
                self._come.wait_for(self._enough, linger)
            taken = [self._held.popleft() for _ in range(min(most, len(self._held)))]
            self._weight -= sum(weight for _, weight in taken)
            self._room.notify()
        return [one for one, _ in taken]

    def _enough(self) -> bool:
        # One that is half full may have no room for the next: who puts and who takes must not wait for each other.
        return len(self._held) >= self._wanted or self._over or self._weight * 2 >= self._most

    def finish(self) -> None:
        """Say that nothing more will be put in."""
        with self._come:
            self._finished = True
            self._come.notify()

    def close(self) -> None:
        """Say that nothing more will be taken."""
        with self._come:
            self._closed = True
            self._held.clear()
            self._weight = 0
            self._come.notify()
            self._room.notify()

    @property
    def closed(self) -> bool:
        """Whether nobody takes any more."""
        return self._closed

    @property
    def ended(self) -> bool:
        """Whether nothing is left and nothing will come."""
        return self._over and not self._held

    @property
    def _over(self) -> bool:
        return self._finished or self._closed
