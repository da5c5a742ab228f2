"""Callers compute on their own threads: in order, a few at a time, and with a reason where it fails."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from inference.errors import ModelBusy, ModelUnavailable
from inference.inline import Inline
from inference.kinds.base import Pixels
from inference.predictions import Scores

SOON = 60.0


def pixels(value: int) -> Pixels:
    return np.full((2, 2, 3), value, np.uint8)


def said(items: list[Pixels]) -> list[Scores]:
    return [Scores({"ok": float(one.mean()) / 255}) for one in items]


class Held:
    """A model that answers when it is let go, and counts who is in it."""

    def __init__(self) -> None:
        self.go, self.inside, self.most, self.lock = threading.Event(), 0, 0, threading.Lock()
        self.full = threading.Semaphore(0)

    def __call__(self, items: list[Pixels]) -> list[Scores]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.full.release()
        assert self.go.wait(SOON)
        with self.lock:
            self.inside -= 1
        return said(items)


def test_scores_come_in_order_on_the_callers_own_thread() -> None:
    threads: list[int] = []

    def predict(items: list[Pixels]) -> list[Scores]:
        threads.append(threading.get_ident())
        return said(items)

    found = Inline(predict, max_backlog=4, passes=1).predict([pixels(255), pixels(0)], SOON)
    assert [scores.probabilities["ok"] for scores in found] == [1.0, 0.0]
    assert threads == [threading.get_ident()]


def test_no_more_than_so_many_compute_at_the_same_time() -> None:
    held = Held()
    model = Inline(held, max_backlog=8, passes=2)
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(model.predict, [pixels(0)], SOON) for _ in range(5)]
        for _ in range(2):
            assert held.full.acquire(timeout=SOON)
        held.go.set()
        assert all(len(answer.result(SOON)) == 1 for answer in answers)
    assert held.most == 2


def test_who_waits_for_a_place_too_long_is_told() -> None:
    held = Held()
    model = Inline(held, max_backlog=8, passes=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(model.predict, [pixels(0)], SOON)
        assert held.full.acquire(timeout=SOON)
        with pytest.raises(ModelUnavailable, match="did not answer within"):
            model.predict([pixels(0)], 0.01)
        held.go.set()
        assert len(first.result(SOON)) == 1


def test_an_answer_that_comes_too_late_is_none() -> None:
    """The item has been given up: a slow model must not decide what people were promised within the time."""
    moments = iter([0.0, 5.0])
    with pytest.raises(ModelUnavailable, match="did not answer within"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.inline.time.monotonic", lambda: next(moments))
        Inline(said, max_backlog=4, passes=1).predict([pixels(0)], 1.0)


def test_too_much_that_waits_is_refused() -> None:
    held = Held()
    model = Inline(held, max_backlog=2, passes=1)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(model.predict, [pixels(0)], SOON)]
        assert held.full.acquire(timeout=SOON)
        # More than may wait, and taken because nothing else does.
        answers.append(pool.submit(model.predict, [pixels(0)] * 3, SOON))
        while not model._waiting:
            pass
        with pytest.raises(ModelBusy, match="3 items wait"):
            model.predict([pixels(0)], SOON)
        held.go.set()
        assert [len(answer.result(SOON)) for answer in answers] == [1, 3]


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), MemoryError(), ValueError("shape")])
def test_an_error_of_the_runtime_is_a_reason_and_frees_the_place(error: Exception) -> None:
    fails: list[Any] = [error]

    def predict(items: list[Pixels]) -> list[Scores]:
        if fails:
            raise fails.pop()
        return said(items)

    model = Inline(predict, max_backlog=4, passes=1)
    with pytest.raises(ModelUnavailable, match=type(error).__name__):
        model.predict([pixels(0)], SOON)
    assert len(model.predict([pixels(0)], SOON)) == 1


def test_too_few_answers_are_none() -> None:
    with pytest.raises(ModelUnavailable, match="0 answers for 1"):
        Inline(lambda items: [], max_backlog=4, passes=1).predict([pixels(0)], SOON)


def test_a_closed_model_takes_no_more() -> None:
    model = Inline(said, max_backlog=4, passes=1)
    model.close()
    assert model.closed
    with pytest.raises(ModelUnavailable, match="out of service"):
        model.predict([pixels(0)], SOON)
