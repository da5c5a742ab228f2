"""Until when somebody waits for what this thread computes. The batcher says it; what asks other machines keeps to it.

It is ambient, because it crosses code that has no use for it (a model in this process computes as fast as it can).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

_until: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def until(moment: float) -> Iterator[None]:
    """What happens inside has to be done by `moment` (`time.monotonic` seconds); an earlier one outside still holds."""
    token = _until.set(min(moment, _until.get()))
    try:
        yield
    finally:
        _until.reset(token)


def within(seconds: float) -> AbstractContextManager[None]:
    """What happens inside has to be done in so many seconds from now."""
    return until(time.monotonic() + seconds)


def left() -> float:
    """Return the seconds left, 0 at least; infinity where nobody set a deadline."""
    return max(0.0, _until.get() - time.monotonic())
