"""Whatever goes wrong with a model, the caller gets a reason in time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inference import runtimes, service
from inference.errors import ModelBusy, ModelUnavailable
from inference.examples import Trained
from inference.kinds import Decoded
from inference.predictions import Scores, top
from tests.inference.conftest import CLASSES, shot
from tests.inference.pictures import decode

SOON = 120.0


def version(digest: str = "a" * 64, runtime: str = "fake") -> Trained:
    return Trained(digest, {}, "inspection", runtime, CLASSES)


def item(value: int = 0) -> Decoded:
    return Decoded(np.full((224, 224, 3), value, np.uint8), "image/png", 1, 1, {})


class Fake:
    """A runtime, and the model it loads. It answers with the brightness of each item."""

    kind = "inspection"
    threads, max_batch, max_wait_ms, inline = 1, 16, 2.0, False

    def __init__(self):
        self.loads = 0
        self.error = self.load_error = None
        self.go, self.loading, self.begun = threading.Event(), threading.Event(), threading.Event()
        self.go.set()
        self.loading.set()

    def load(self, version):
        self.loads += 1
        assert self.loading.wait(SOON)
        if self.load_error:
            raise self.load_error
        return self

    def predict(self, batch):
        self.begun.set()
        assert self.go.wait(SOON)
        if self.error:
            raise self.error
        return [Scores({"ok": float(one.mean()) / 255}) for one in batch]


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    models = service.Models(most=2)
    monkeypatch.setitem(runtimes.RUNTIMES, "fake", made)
    monkeypatch.setattr(service, "models", models)
    yield made
    made.go.set()
    made.loading.set()
    models.close()


def test_scores_come_in_order_with_a_latency(fake):
    found, latency = service.predict(version(), [item(255), item(0), item(51)], timeout=SOON)
    assert [scores.probabilities["ok"] for scores in found] == pytest.approx([1, 0, 0.2])
    assert 0 < latency < SOON * 1000


def test_a_model_is_loaded_once_however_many_ask(fake):
    fake.loading.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(service.predict, version(), [item()], timeout=SOON) for _ in range(8)]
        fake.loading.set()
        assert all(len(future.result()[0]) == 1 for future in waiting)
    assert fake.loads == 1


def test_warming_loads_before_anybody_asks(fake):
    service.warm(version())
    service.predict(version(), [item()], timeout=SOON)
    assert fake.loads == 1


def test_a_hung_model_is_unavailable_after_the_timeout(fake):
    service.warm(version())  # what is measured is the model, not how long the machine takes to load it
    fake.go.clear()
    with pytest.raises(ModelUnavailable, match="did not answer within"):
        service.predict(version(), [item()], timeout=0.05)


def test_a_model_that_does_not_load_in_time_is_unavailable(fake):
    fake.loading.clear()
    with pytest.raises(ModelUnavailable, match=r"not loaded within [\de.-]+ seconds"):
        service.predict(version(), [item()], timeout=0.05)


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), MemoryError(), ValueError("shape")])
def test_an_error_of_the_runtime_is_a_reason(fake, error):
    fake.error = error
    with pytest.raises(ModelUnavailable, match=type(error).__name__):
        service.predict(version(), [item()], timeout=SOON)


def test_a_model_that_failed_to_load_is_tried_again(fake):
    fake.load_error = OSError("the disk is away")
    with pytest.raises(ModelUnavailable, match="the disk is away"):
        service.predict(version(), [item()], timeout=SOON)
    fake.load_error = None
    assert len(service.predict(version(), [item()], timeout=SOON)[0]) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_model_whose_thread_ended_is_loaded_afresh(fake):
    ending = service.models.get(version(), SOON)
    fake.error = SystemExit("the thread was told to end")
    with pytest.raises(ModelUnavailable, match="SystemExit"):
        service.predict(version(), [item()], timeout=SOON)
    ending._threads[0].join(SOON)
    fake.error = None
    assert len(service.predict(version(), [item()], timeout=SOON)[0]) == 1
    assert fake.loads == 2


def test_a_hanging_model_takes_no_more_callers_than_there_are_places(fake, monkeypatch):
    monkeypatch.setattr(service, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(service, "PLACE_SECONDS", 0.01)
    fake.go.clear()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(service.predict, version(), [item()], timeout=SOON)
        try:
            assert fake.begun.wait(SOON)
            with pytest.raises(ModelBusy, match="Too many wait"):
                service.predict(version(), [item()], timeout=SOON)
        finally:
            fake.go.set()
        assert len(held.result(SOON)[0]) == 1
    assert len(service.predict(version(), [item()], timeout=SOON)[0]) == 1


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), None])
def test_a_place_is_free_again_whatever_became_of_the_call(fake, monkeypatch, error):
    monkeypatch.setattr(service, "_places", threading.BoundedSemaphore(1))
    fake.error, fake.load_error = error, None if error else OSError("the disk is away")
    for _ in range(2):
        with pytest.raises(ModelUnavailable) as refused:
            service.predict(version(), [item()], timeout=SOON)
        assert not isinstance(refused.value, ModelBusy)


def test_the_model_not_used_for_longest_makes_room(fake):
    first, second, third = (version(letter * 64) for letter in "abc")
    for one in (first, second, first, third):
        service.predict(one, [item()], timeout=SOON)
    assert fake.loads == 3
    service.predict(first, [item()], timeout=SOON)
    assert fake.loads == 3
    service.predict(second, [item()], timeout=SOON)
    assert fake.loads == 4


def test_a_model_that_made_room_no_longer_has_a_thread(fake):
    batcher = service.models.get(version("a" * 64), SOON)
    for letter in "bc":
        service.predict(version(letter * 64), [item()], timeout=SOON)
    batcher._threads[0].join(SOON)
    assert not batcher._threads[0].is_alive()


def test_missing_weights_are_a_reason(fake):
    with pytest.raises(ModelUnavailable, match="can't be read"):
        service.predict(version("0" * 64, "torch"), [item()], timeout=SOON)


def test_an_unknown_runtime_is_a_reason(fake):
    with pytest.raises(ModelUnavailable, match="telepathy"):
        service.predict(version(runtime="telepathy"), [item()], timeout=SOON)


def test_a_real_model_answers(fake, trained):
    found, _ = service.predict(trained[0], [decode(shot(answer, 900)[0]) for answer in CLASSES], timeout=60.0)
    assert [top(scores)[0] for scores in found].count("ok") < 3
    assert all(scores.heatmap is not None for scores in found)
