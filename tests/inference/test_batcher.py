"""The batcher joins concurrent requests, and its failures reach exactly those who wait."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inference.batcher import Batcher
from inference.errors import ModelBusy, ModelUnavailable
from inference.predictions import Scores

SOON = 120.0


def item(number: int) -> np.ndarray:
    return np.array([number], np.uint8)


class Model:
    """A model whose passes are held until the test lets them go. It answers each item with its own number."""

    def __init__(self, *, held: bool = False) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Event()
        self.batches: list[list[int]] = []
        self.error: BaseException | None = None
        self.short = False
        if not held:
            self.go.set()

    def __call__(self, items: list[np.ndarray]) -> list[Scores]:
        self.batches.append([int(one[0]) for one in items])
        self.begun.release()
        assert self.go.wait(SOON)
        if self.error:
            raise self.error
        return [Scores({"ok": float(one[0])}) for one in items][: 0 if self.short else None]


@pytest.fixture
def make():
    made = []

    def build(model, *, max_batch=4, max_wait_ms=0.0, max_backlog=100):
        made.append((model, Batcher(model, max_batch=max_batch, max_wait_ms=max_wait_ms, max_backlog=max_backlog)))
        return made[-1][1]

    yield build
    for model, batcher in made:
        model.go.set()
        batcher.close()


def numbers(scores: list[Scores]) -> list[float]:
    return [one.probabilities["ok"] for one in scores]


def test_answers_come_in_the_order_of_the_items(make):
    batcher = make(Model(), max_batch=3)
    assert numbers(batcher.predict([item(n) for n in range(8)], SOON)) == list(map(float, range(8)))


def test_no_items_need_no_model(make):
    model = Model()
    assert make(model).predict([], SOON) == []
    assert model.batches == []


def test_what_waits_during_a_pass_is_computed_together(make):
    model = Model(held=True)
    batcher = make(model)
    first = batcher.submit([item(0)])
    assert model.begun.acquire(timeout=SOON)
    others = [batcher.submit([item(n)]) for n in (1, 2, 3, 4, 5)]
    model.go.set()
    assert [future.result(SOON).probabilities["ok"] for (future,) in [first, *others]] == [0, 1, 2, 3, 4, 5]
    assert model.batches == [[0], [1, 2, 3, 4], [5]]


def test_a_lone_item_does_not_wait_for_company(make):
    """With an hour to wait for company, an answer can only come because nobody waited."""
    batcher = make(Model(), max_wait_ms=3_600_000)
    for number in range(3):
        assert numbers(batcher.predict([item(number)], SOON)) == [number]
        # The thread rests only once it holds the lock again, which submitting needs too.
        wait_until_idle(batcher)


def wait_until_idle(batcher: Batcher) -> None:
    """Return once the thread waits for work: it gives up the lock only then."""
    idle = threading.Event()
    watched = batcher._changed.wait
    with batcher._changed:
        if batcher._changed._waiters:
            return

        def seen(timeout=None):
            idle.set()
            return watched(timeout)

        batcher._changed.wait = seen
    assert idle.wait(SOON)
    batcher._changed.wait = watched


def test_company_fills_a_batch_before_its_deadline(make):
    model = Model(held=True)
    batcher = make(model, max_batch=2, max_wait_ms=3_600_000)
    batcher.submit([item(0)])
    assert model.begun.acquire(timeout=SOON)
    early = batcher.submit([item(1)])
    model.go.set()
    late = batcher.submit([item(2)])
    assert [future.result(SOON).probabilities["ok"] for future in (*early, *late)] == [1, 2]
    assert model.batches == [[0], [1, 2]]


def test_a_full_backlog_refuses_all_or_nothing(make):
    model = Model(held=True)
    batcher = make(model, max_backlog=2)
    batcher.submit([item(0)])
    assert model.begun.acquire(timeout=SOON)
    waiting = batcher.submit([item(1)])
    with pytest.raises(ModelBusy, match="at most 2"):
        batcher.submit([item(2), item(3)])
    waiting += batcher.submit([item(4)])
    model.go.set()
    assert numbers([future.result(SOON) for future in waiting]) == [1, 4]


def test_a_batch_larger_than_the_backlog_is_taken_when_nothing_waits(make):
    assert len(make(Model(), max_backlog=2).predict([item(n) for n in range(5)], SOON)) == 5


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ZeroDivisionError(), ModelUnavailable("said so")])
def test_a_failure_reaches_every_waiter_of_its_batch_and_the_next_batch_works(make, error):
    model = Model(held=True)
    batcher = make(model)
    model.error = error
    futures = batcher.submit([item(1), item(2)])
    model.go.set()
    reasons = [future.exception(SOON) for future in futures]
    assert all(isinstance(reason, ModelUnavailable) for reason in reasons)
    assert reasons[0] is not reasons[1]
    model.error = None
    assert numbers(batcher.predict([item(3)], SOON)) == [3]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whatever_ends_the_thread_nobody_waits_for_it_any_more(make):
    """An error that is no Exception ends the thread: those who wait learn it at once, and so do those who come later."""
    model = Model(held=True)
    batcher = make(model, max_batch=1)
    model.error = SystemExit("the thread was told to end")
    futures = batcher.submit([item(1), item(2)])
    assert not batcher.closed
    model.go.set()
    assert all(isinstance(future.exception(SOON), ModelUnavailable) for future in futures)
    batcher._threads[0].join(SOON)
    assert batcher.closed
    with pytest.raises(ModelUnavailable, match="out of service"):
        batcher.submit([item(3)])


def test_too_few_answers_are_a_failure(make):
    model = Model()
    model.short = True
    with pytest.raises(ModelUnavailable, match="0 answers for 2"):
        make(model).predict([item(1), item(2)], SOON)


def test_a_hung_model_is_given_up_after_the_timeout(make):
    with pytest.raises(ModelUnavailable, match=r"0\.01 seconds"):
        make(Model(held=True)).predict([item(1)], 0.01)


def test_what_nobody_waits_for_any_more_is_not_computed(make):
    model = Model(held=True)
    batcher = make(model)
    batcher.submit([item(0)])
    assert model.begun.acquire(timeout=SOON)
    with pytest.raises(ModelUnavailable):
        batcher.predict([item(1)], 0.0)
    model.go.set()
    assert numbers(batcher.predict([item(2)], SOON)) == [2]
    assert model.batches == [[0], [2]]


def test_a_queue_of_nothing_but_cancelled_items_does_not_end_the_thread(make):
    model = Model(held=True)
    batcher = make(model)
    batcher.submit([item(0)])
    assert model.begun.acquire(timeout=SOON)
    for future in batcher.submit([item(1), item(2)]):
        assert future.cancel()
    model.go.set()
    assert numbers(batcher.predict([item(3)], SOON)) == [3]


def test_closing_fails_what_waits_and_refuses_the_rest(make):
    model = Model(held=True)
    batcher = make(model)
    begun = batcher.submit([item(0)])
    assert model.begun.acquire(timeout=SOON)
    waiting = batcher.submit([item(1)])
    batcher.close()
    assert isinstance(waiting[0].exception(SOON), ModelUnavailable)
    with pytest.raises(ModelUnavailable, match="out of service"):
        batcher.submit([item(2)])
    model.go.set()
    assert begun[0].result(SOON).probabilities["ok"] == 0
    batcher._threads[0].join(SOON)
    assert not batcher._threads[0].is_alive()


def test_closing_races_submitting_and_nobody_is_left_waiting(make):
    for _ in range(20):
        batcher = make(Model())
        start = threading.Barrier(5)

        def submit(batcher=batcher, start=start):
            start.wait(SOON)
            try:
                return batcher.submit([item(1), item(2)])
            except ModelUnavailable:
                return []

        with ThreadPoolExecutor(5) as pool:
            submitted = [pool.submit(submit) for _ in range(4)]
            pool.submit(lambda batcher=batcher, start=start: (start.wait(SOON), batcher.close()))
        for futures in submitted:
            for future in futures.result(SOON):
                future.exception(SOON)
                assert future.done()


def test_many_threads_each_get_their_own_answers(make):
    batcher = make(Model(), max_wait_ms=1)
    with ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda n: numbers(batcher.predict([item(n), item(n + 100)], SOON)), range(100))
        assert list(found) == [[n, n + 100] for n in range(100)]
