"""Ask again where that may help, is affordable, and somebody still waits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from inference import deadlines
from inference.remote.budget import Budget
from inference.remote.errors import RemoteFailed

Answer = TypeVar("Answer")
MOST_TRIES = 3
# Seconds: the pause is drawn from 0 to this, doubled with every try ("full jitter"), so that callers do not come in step.
FIRST_PAUSE = 0.1
# A server that asks for more patience than this is not asked again: the thread that waits serves others too.
LONGEST_PAUSE = 1.0


def retrying(
    ask: Callable[[], Answer],
    budget: Budget,
    *,
    left: Callable[[], float] = deadlines.left,
    sleep: Callable[[float], None] = time.sleep,
    draw: Callable[[], float] = random.random,
) -> Answer:
    """Return what `ask` returns, asking again after a transient failure. Raises its last `RemoteFailed`."""
    budget.called()
    tries = 1
    while True:
        try:
            return ask()
        except RemoteFailed as error:
            pause = max(error.wait, FIRST_PAUSE * 2 ** (tries - 1) * draw())
            too_late = pause >= left() or pause > LONGEST_PAUSE
            if not error.transient or tries == MOST_TRIES or too_late or not budget.take():
                raise
        sleep(pause)
        tries += 1
