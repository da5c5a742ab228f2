"""The one front of this app at run time: a model version and decoded items in, scores out, or the reason why not."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import numpy as np
from django.conf import settings

from inference import runtimes
from inference.batcher import Batcher
from inference.errors import ModelBusy, ModelUnavailable
from inference.inline import Inline
from inference.kinds.base import Decoded, Pixels
from inference.predictions import Scores
from inference.runtimes import Weighted

Server = Batcher | Inline
# Models of one process. They share a frozen backbone, so each costs a thread and about a megabyte.
MOST_MODELS = 16
# About five seconds of work on one core: more would time out anyway.
MAX_BACKLOG = 256
# Seconds to wait for one of the places: a healthy model frees some within a pass or two, a hanging one never.
PLACE_SECONDS = 0.5
# Seconds that a start may take before `warm` gives up.
WARM_SECONDS = 60.0


class Models:
    """The models in memory, each with what runs it; the one that was not used for longest makes room."""

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, Future[Server]] = OrderedDict()
        # Loading happens on a thread of its own, so that a caller can stop waiting for it.
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-loader")

    def get(self, version: Weighted, timeout: float) -> Server:
        """Return what runs a model, loading it once for all who ask. Raises `ModelUnavailable`."""
        future = self._future(version)
        done, _ = wait_for([future], timeout)
        if not done:
            raise ModelUnavailable(f"The model was not loaded within {timeout:.3g} seconds.")
        if error := future.exception():
            self._forget(version.weights_digest, future)
            said = str(error) if isinstance(error, ModelUnavailable) else f"The model can't be loaded: {error}"
            raise ModelUnavailable(said) from error
        return future.result()

    def has(self, digest: str) -> bool:
        """Whether a model of these weights is in memory and in service."""
        with self._lock:
            future = self._loaded.get(digest)
        return future is not None and future.done() and future.exception() is None and not future.result().closed

    def _future(self, version: Weighted) -> Future[Server]:
        with self._lock:
            future = self._loaded.get(version.weights_digest)
            if future is None or _is_over(future):
                future = self._loaded[version.weights_digest] = self._loader.submit(_load, version)
            self._loaded.move_to_end(version.weights_digest)
            evicted = [self._loaded.popitem(last=False)[1] for _ in range(len(self._loaded) - self._most)]
        for old in evicted:
            old.add_done_callback(_close)
        return future

    def _forget(self, digest: str, failed: Future[Server]) -> None:
        """What could not be loaded is tried again next time: the file may have come meanwhile."""
        with self._lock:
            if self._loaded.get(digest) is failed:
                del self._loaded[digest]

    def close(self) -> None:
        """Take all models out of service."""
        with self._lock:
            left = list(self._loaded.values())
            self._loaded.clear()
        for future in left:
            future.add_done_callback(_close)


def _load(version: Weighted) -> Server:
    runtime = runtimes.get(version.runtime)
    predictor = runtime.load(version)

    def predict(items: list[Pixels]) -> list[Scores]:
        return predictor.predict(items[0][np.newaxis] if len(items) == 1 else np.stack(items))

    if runtime.inline:
        return Inline(predict, max_backlog=MAX_BACKLOG, passes=runtime.threads)
    return Batcher(
        predict,
        max_batch=runtime.max_batch,
        max_wait_ms=runtime.max_wait_ms,
        max_backlog=MAX_BACKLOG,
        threads=runtime.threads,
    )


def _is_over(loaded: Future[Server]) -> bool:
    """Whether the model's thread has ended, so that it has to be loaded afresh."""
    return loaded.done() and loaded.exception() is None and loaded.result().closed


def _close(loaded: Future[Server]) -> None:
    if not loaded.cancelled() and loaded.exception() is None:
        loaded.result().close()


models = Models()
# Callers that may wait for a model at the same time: one that hangs must not take every thread of the server.
_places = threading.BoundedSemaphore(settings.MODEL_CONCURRENCY)


def predict(version: Weighted, batch: Sequence[Decoded], *, timeout: float) -> tuple[list[Scores], float]:
    """Return the scores of `batch` in its order, and how long they took in milliseconds, waiting included.

    Raises `ModelUnavailable` with the reason for every failure: missing or changed weights, an error of the runtime, more
    than `timeout` seconds; `ModelBusy` where too much or too many wait already.
    """
    started = time.monotonic()
    if not _places.acquire(timeout=min(timeout, PLACE_SECONDS)):
        raise ModelBusy(f"Too many wait for the model: {settings.MODEL_CONCURRENCY} may at the same time.")
    try:
        server = models.get(version, _left(timeout, started))
        found = server.predict([item.pixels for item in batch], _left(timeout, started))
    finally:
        _places.release()
    return found, (time.monotonic() - started) * 1000


def _left(timeout: float, started: float) -> float:
    return max(0.0, timeout - (time.monotonic() - started))


def is_inline(version: Weighted) -> bool:
    """Whether the model computes on the thread of its caller and waits for nobody."""
    return runtimes.get(version.runtime).inline


def is_loaded(version: Weighted) -> bool:
    """Whether this process has the model in memory, ready to answer."""
    return models.has(version.weights_digest)


def warm(version: Weighted) -> None:
    """Load a model before anybody needs it. Raises `ModelUnavailable`."""
    models.get(version, WARM_SECONDS)
