"""What stands from one item to the next: the token, its line, the policy, the models in production.

Under load the database would be asked the same five things hundreds of times a second, which costs as much as decoding a
photo. An answer is good for ROAD_CACHE_SECONDS. What that may delay, and by no more than that, is the end of a token or a
line, more automation, and another model. Less automation is not delayed: the record reads the policy once more, inside its
transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.conf import settings

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# A process sees some lines and cameras; whoever tries tokens must not fill its memory.
MOST = 1024


class Standing(Generic[K, V]):
    """Answers kept for a moment. What is not there (None) is asked for every time."""

    def __init__(self, ask: Callable[[K], V | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._kept: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Return the answer for a key, a moment old at most."""
        now = self._clock()
        kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = self._ask(key)
        if found is None or not settings.ROAD_CACHE_SECONDS:
            self._kept.pop(key, None)
            return found
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = (now + settings.ROAD_CACHE_SECONDS, found)
        return found

    def forget(self, key: K) -> None:
        """Ask again next time."""
        self._kept.pop(key, None)
