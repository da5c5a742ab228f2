"""Concurrent requests meet here, so that one forward pass serves several. It knows arrays and scores, nothing of HTTP."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple

from inference import deadlines
from inference.errors import ModelBusy, ModelUnavailable, closed, late
from inference.figures import BACKLOG, BATCH_ITEMS, MODEL_SECONDS, REFUSED
from inference.kinds.base import Pixels
from inference.predictions import Scores


class _Waiting(NamedTuple):
    pixels: Pixels
    answer: Future[Scores]
    since: float
    until: float


class Batcher:
    """Threads that compute what waits, each at most `max_batch` at a time.

    The first item after a pause is computed at once. Under load, what came while the thread was busy may wait for company
    until `max_wait_ms` after the oldest of it came. More than `max_backlog` waiting items are refused: a slow model must not
    pile up work that nobody waits for any more.
    """

    def __init__(
        self,
        predict: Callable[[list[Pixels]], list[Scores]],
        *,
        max_batch: int,
        max_wait_ms: float,
        max_backlog: int,
        threads: int = 1,
    ) -> None:
        self._predict = predict
        self._max_batch = max_batch
        self._max_wait = max_wait_ms / 1000
        self._max_backlog = max_backlog
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._run, name="batcher", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, items: Sequence[Pixels], until: float = math.inf) -> list[Future[Scores]]:
        """Queue all of `items` or none. After `until`, in monotonic seconds, nobody waits for them any more.

        Raises `ModelBusy` where the backlog is full, `ModelUnavailable` once closed.
        """
        with self._changed:
            if self._closed:
                raise closed()
            # A batch larger than the whole backlog is taken when nothing else waits, or it never could be.
            if self._queue and len(self._queue) + len(items) > self._max_backlog:
                REFUSED.inc(len(items))
                raise ModelBusy(f"{len(self._queue)} items wait for the model already; at most {self._max_backlog} may.")
            futures: list[Future[Scores]] = [Future() for _ in items]
            now = time.monotonic()
            self._queue.extend(_Waiting(pixels, future, now, until) for pixels, future in zip(items, futures, strict=True))
            BACKLOG.inc(len(futures))
            self._changed.notify(len(items))
        return futures

    def predict(self, items: Sequence[Pixels], timeout: float) -> list[Scores]:
        """Return the scores of `items` in their order. Raises `ModelUnavailable` after `timeout` seconds or on any failure."""
        deadline = time.monotonic() + timeout
        futures = self.submit(items, deadline)
        try:
            return [future.result(max(0.0, deadline - time.monotonic())) for future in futures]
        except TimeoutError:
            # What was not begun yet need not be: nobody would read it.
            for future in futures:
                future.cancel()
            raise late(timeout) from None

    def close(self) -> None:
        """Take no more, and fail what still waits. A batch that is being computed is finished."""
        with self._changed:
            self._closed = True
            left = list(self._queue)
            self._queue.clear()
            BACKLOG.dec(len(left))
            self._changed.notify_all()
        for waiting in left:
            if waiting.answer.set_running_or_notify_cancel():
                waiting.answer.set_exception(closed())

    @property
    def closed(self) -> bool:
        """Whether it takes no more."""
        return self._closed

    def _run(self) -> None:
        try:
            while self._await_work():
                if batch := self._take():
                    self._compute(batch)
        finally:
            # Whatever ended the thread: nobody may wait for it any more.
            self.close()

    def _await_work(self) -> bool:
        """Block until something waits; return False once closed."""
        with self._changed:
            rested = False
            while not self._queue and not self._closed:
                rested = True
                self._changed.wait()
            # Whoever ends a pause is served at once: there is no sign that anybody else is coming.
            if not rested:
                self._await_company()
            return not self._closed

    def _await_company(self) -> None:
        while self._queue and len(self._queue) < self._max_batch and not self._closed:
            remaining = self._queue[0].since + self._max_wait - time.monotonic()
            if remaining <= 0 or not self._changed.wait(remaining):
                return

    def _take(self) -> list[_Waiting]:
        """Return the next items that somebody still waits for. From here on they can't be cancelled."""
        batch: list[_Waiting] = []
        with self._changed:
            before = len(self._queue)
            while self._queue and len(batch) < self._max_batch:
                waiting = self._queue.popleft()
                if waiting.answer.set_running_or_notify_cancel():
                    batch.append(waiting)
            BACKLOG.dec(before - len(self._queue))
        return batch

    def _compute(self, batch: list[_Waiting]) -> None:
        # As long as anybody waits for any of it.
        with _Answering(batch), deadlines.until(max(waiting.until for waiting in batch)):
            BATCH_ITEMS.observe(len(batch))
            with MODEL_SECONDS.time():
                found = self._predict([waiting.pixels for waiting in batch])
            if len(found) != len(batch):
                raise ModelUnavailable(f"The model gave {len(found)} answers for {len(batch)} items.")
            for waiting, scores in zip(batch, found, strict=True):
                waiting.answer.set_result(scores)


class _Answering:
    """Whatever goes wrong inside belongs to those who wait for the batch; the thread lives on for the next one."""

    def __init__(self, batch: list[_Waiting]) -> None:
        self._batch = batch

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        for waiting in self._batch:
            if error is not None and not waiting.answer.done():
                waiting.answer.set_exception(_reason(error))
        return isinstance(error, Exception)


def _reason(error: BaseException) -> ModelUnavailable:
    """Return an error for one waiter: an exception must not be raised in several threads at once."""
    said = str(error) if isinstance(error, ModelUnavailable) else f"The model failed: {type(error).__name__}: {error}"
    reason = ModelUnavailable(said)
    reason.__cause__ = error
    return reason
