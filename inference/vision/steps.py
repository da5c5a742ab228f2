"""Progress bars that are filled part by part, and work that is spread over the cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from inference.examples import Progress


def side_by_side(work: Callable[[int], None], parts: range) -> Iterator[int]:
    """Call `work` with each of `parts`, on as many threads as there are cores; yield each part, in order, when it is done."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part, _ in zip(parts, pool.map(work, parts), strict=True):
            yield part


class Steps:
    """A part of a progress bar, from `begin` to `end`, that `total` steps fill."""

    def __init__(self, progress: Progress, begin: float, end: float, total: int, what: str) -> None:
        self._progress, self._begin, self._end = progress, begin, end
        self._total, self._what, self._done = total, what, 0

    def step(self, count: int = 1) -> None:
        """Say that `count` more steps are done."""
        self._done += count
        share = self._begin + (self._end - self._begin) * self._done / self._total
        self._progress(share, f"{self._what}: {self._done} of {self._total}")


@contextmanager
def one_thread_an_operation() -> Iterator[None]:
    """Keep torch from splitting single operations meanwhile.

    Its threads wait for each other many times a batch; where others use the machine too, that made training several times
    slower, not faster. Whole batches side by side (`side_by_side`) need no such waiting.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
