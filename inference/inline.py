"""Callers compute on their own threads, as many at a time as there are cores. Two threads that wake each other for every photo
cost more than a small network does; what gains nothing from company has no need of it.

Nothing can take a thread out of a pass that hangs. This is for models of this process, which only compute; what asks other
machines, and what gains from larger passes, is called through the batcher.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from inference import deadlines
from inference.errors import ModelBusy, ModelUnavailable, closed, late
from inference.figures import BACKLOG, BATCH_ITEMS, MODEL_SECONDS, REFUSED
from inference.kinds.base import Pixels
from inference.predictions import Scores


class Inline:
    """Runs `predict` for whoever calls, `passes` at a time. More than `max_backlog` items that wait are refused."""

    def __init__(self, predict: Callable[[list[Pixels]], list[Scores]], *, max_backlog: int, passes: int) -> None:
        self._predict = predict
        self._places = threading.BoundedSemaphore(passes)
        self._max_backlog = max_backlog
        self._mutex = threading.Lock()
        self._waiting = 0
        self._closed = False

    def predict(self, items: Sequence[Pixels], timeout: float) -> list[Scores]:
        """Return the scores of `items` in their order.

        Raises `ModelUnavailable` on any failure and where it took more than `timeout` seconds, `ModelBusy` where too much
        waits already.
        """
        deadline = time.monotonic() + timeout
        self._await_place(len(items), timeout)
        try:
            if self._closed:
                raise closed()
            found = self._compute(list(items), deadline)
        finally:
            self._places.release()
        if time.monotonic() > deadline:
            raise late(timeout)
        return found

    def close(self) -> None:
        """Take no more. A pass that is being computed is finished."""
        self._closed = True

    @property
    def closed(self) -> bool:
        """Whether it takes no more."""
        return self._closed

    def _await_place(self, count: int, timeout: float) -> None:
        if self._places.acquire(blocking=False):
            return
        with self._mutex:
            # A batch larger than the whole backlog is taken when nothing else waits, or it never could be.
            if self._waiting and self._waiting + count > self._max_backlog:
                REFUSED.inc(count)
                raise ModelBusy(f"{self._waiting} items wait for the model already; at most {self._max_backlog} may.")
            self._waiting += count
        BACKLOG.inc(count)
        try:
            if not self._places.acquire(timeout=timeout):
                raise late(timeout)
        finally:
            BACKLOG.dec(count)
            with self._mutex:
                self._waiting -= count

    def _compute(self, items: list[Pixels], deadline: float) -> list[Scores]:
        BATCH_ITEMS.observe(len(items))
        try:
            with MODEL_SECONDS.time(), deadlines.until(deadline):
                found = self._predict(items)
        except ModelUnavailable:
            raise
        except Exception as error:
            raise ModelUnavailable(f"The model failed: {type(error).__name__}: {error}") from error
        if len(found) != len(items):
            raise ModelUnavailable(f"The model gave {len(found)} answers for {len(items)} items.")
        return found
