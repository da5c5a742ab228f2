"""A model elsewhere behind the same front as every model: answers, and reasons in time when there is none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from inference import deadlines, runtimes, service, weights
from inference.errors import ModelUnavailable
from inference.examples import Trained
from inference.kinds import Decoded
from inference.predictions import Scores
from inference.remote import links as module
from inference.remote.breaker import Breaker, Rules, State
from inference.remote.budget import Budget
from inference.remote.links import Link, Status, links
from inference.remote.manifest import Manifest
from tests.inference.remote.conftest import CLASSES
from tests.inference.remote.server import Hangs, Served, Server, hangs_up, says, status

SOON = 10.0
Describe = Callable[..., Manifest]


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> Iterator[None]:
    """Models and weights of this test alone."""
    settings.VAR_DIR = tmp_path
    models = service.Models()
    monkeypatch.setattr(service, "models", models)
    yield
    models.close()


@pytest.fixture
def now() -> list[float]:
    """The breakers' clock."""
    return [0.0]


@pytest.fixture
def version(described: Describe, monkeypatch: pytest.MonkeyPatch, now: list[float]) -> Callable[..., Trained]:
    """Store a manifest and return the version that has it. Nothing pauses, and breakers go by the test's clock."""
    monkeypatch.setattr(module, "Breaker", lambda: Breaker(Rules(), lambda: now[0]))
    monkeypatch.setattr("inference.remote.retrying.FIRST_PAUSE", 0.0)

    def made(**values: Any) -> Trained:
        return Trained(weights.store({}, described(**values).as_spec(), {}), {}, "inspection", "oip", CLASSES)

    return made


def item(value: int) -> Decoded:
    return Decoded(np.full((224, 224, 3), value, np.uint8), "image/png", 1, 1, {})


def ask(version: Trained, *values: int, timeout: float = SOON) -> list[Scores]:
    return service.predict(version, [item(value) for value in values or (51,)], timeout=timeout)[0]


def reason(version: Trained, timeout: float = SOON) -> str:
    with pytest.raises(ModelUnavailable) as found:
        ask(version, timeout=timeout)
    return str(found.value)


def state(version: Trained) -> Status:
    return links.status(version.weights_digest)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
def test_answers_come_in_order(version: Callable[..., Trained], served: Served, binary: bool, datatype: str) -> None:
    found = ask(version(binary=binary, datatype=datatype), 255, 0, 51)
    assert [one.probabilities["scratch"] for one in found] == pytest.approx([1, 0, 0.2])
    assert served.count("/v2/models/phones/infer") == 1


def test_a_large_batch_goes_in_parts(version: Callable[..., Trained], served: Served) -> None:
    found = ask(version(most=2), *range(0, 250, 50))
    assert [one.probabilities["scratch"] for one in found] == pytest.approx([value / 255 for value in range(0, 250, 50)])
    assert served.count("/infer") == 3


def test_loading_asks_nobody(version: Callable[..., Trained], server: Server) -> None:
    gone = version()
    server.stop()
    service.warm(gone)
    assert server.served.asked == []


def test_a_hiccup_is_asked_again_and_nobody_notices(version: Callable[..., Trained], served: Served) -> None:
    served.deeds.extend([status(503), hangs_up])
    known = version()
    assert len(ask(known)) == 1
    assert (state(known).calls, state(known).failures, state(known).retries) == (1, 0, 2)


def test_retries_are_a_share_of_the_calls(version: Callable[..., Trained], served: Served) -> None:
    known = version()
    served.always = status(503)
    for _ in range(3):
        reason(known)
    # Three calls, and the two retries that everybody has.
    assert served.count("/infer") == 5
    assert state(known).state is State.OPEN


def test_an_open_breaker_asks_nobody_and_comes_back_by_itself(
    version: Callable[..., Trained], served: Served, now: list[float]
) -> None:
    known = version()
    served.always = status(500)
    for _ in range(3):
        assert "answers 500" in reason(known)
    asked = len(served.asked)
    assert "left alone" in reason(known)
    assert len(served.asked) == asked
    served.always = None
    now[0] += 1.0
    assert len(ask(known)) == 1
    assert [path for _, path, _, _ in served.asked[asked:]] == ["/v2/models/phones/ready", "/v2/models/phones/infer"]
    seen = state(known)
    assert (seen.state, seen.calls, seen.failures, seen.refusals) == (State.CLOSED, 4, 3, 1)
    assert seen.last_answer_at > seen.last_failure_at


def test_a_server_that_is_not_ready_is_not_sent_any_item(
    version: Callable[..., Trained], served: Served, now: list[float]
) -> None:
    known = version()
    served.always = status(500)
    for _ in range(3):
        reason(known)
    asked = served.count("/infer")
    served.ready = False
    now[0] += 1.0
    assert "answers 503" in reason(known)
    assert served.count("/infer") == asked
    assert "in 2.0 seconds" in reason(known)


def test_a_call_that_cost_the_whole_time_opens_the_breaker_at_once(
    version: Callable[..., Trained], served: Served, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MODEL_TIMEOUT_SECONDS = limit = 0.3
    # A busy machine may take part of so short a limit before the call is made.
    monkeypatch.setattr(module, "GRAVE_SHARE", 0.01)
    known = version()
    service.warm(known)
    served.always = hangs = Hangs()
    assert re.search("did not answer within|gave no answer in time", reason(known, limit))
    started = time.monotonic()
    assert "left alone" in reason(known, SOON)
    assert time.monotonic() - started < SOON / 2
    hangs.go.set()


def test_a_call_that_had_little_time_left_does_not(described: Describe, served: Served) -> None:
    link = Link(described(), Breaker(Rules(in_a_row=2)), Budget())
    served.always = hangs = Hangs()
    with deadlines.within(0.05), pytest.raises(ModelUnavailable, match="in time"):
        link.call(lambda: link.wire.post("/v2/models/phones/infer", b"{}", {}), limit=10.0)
    assert link.status().state is State.CLOSED
    hangs.go.set()
    link.wire.close()


def test_an_unforeseen_error_frees_the_probe(described: Describe, now: list[float]) -> None:
    link = Link(described(), Breaker(Rules(in_a_row=1), lambda: now[0]), Budget())
    for second in (0.0, 1.0, 3.0):
        now[0] = second
        with pytest.raises(ZeroDivisionError):
            link.call(lambda: 1 // 0, limit=1.0)
        assert link.status().state is State.OPEN
    link.wire.close()


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (says(p=[[0.5, 0.5]]), "3 a picture were expected"),
        (says(p=[[0.9, 0.9, 0.9]]), "sum to 2.7"),
        (says(p=[[float("nan"), 0, 1]]), "not finite"),
        (says(q=[[1, 0, 0]]), "no output p"),
        (says(p=[[1, 0, 0], [1, 0, 0]]), "for 2 pictures"),
        (status(200, b"<html>"), "no JSON"),
        (status(200, {"outputs": []}), "no output p"),
    ],
)
def test_rubbish_is_no_answer(version: Callable[..., Trained], served: Served, deed: Any, said: str) -> None:
    served.always = deed
    assert said in reason(version())
    assert served.count("/infer") == 1


def test_an_answer_of_another_version_is_none(version: Callable[..., Trained], served: Served) -> None:
    known = version(served_version="1")
    assert len(ask(known)) == 1
    for other in ("2", None):
        served.version = other
        assert "registered is '1'" in reason(known)


def test_a_pinned_version_is_asked_by_its_address(version: Callable[..., Trained], served: Served) -> None:
    ask(version(version="1"))
    assert served.count("/v2/models/phones/versions/1/infer") == 1


def test_a_breaker_outlives_the_model_that_made_room(version: Callable[..., Trained], served: Served) -> None:
    known = version()
    served.always = status(500)
    for _ in range(3):
        reason(known)
    service.models.close()
    assert "left alone" in reason(known)


def test_a_manifest_that_is_not_for_here_is_a_reason() -> None:
    digest = weights.store({}, {"protocol": "oip-v3"}, {})
    with pytest.raises(ModelUnavailable, match="doesn't fit this program"):
        runtimes.load(Trained(digest, {}, "inspection", "oip", CLASSES))


def test_a_manifest_that_was_changed_is_not_followed(version: Callable[..., Trained]) -> None:
    known = version()
    path = weights.path(known.weights_digest)
    path.write_bytes(path.read_bytes().replace(b"phones", b"pwned!"))
    assert "changed on disk" in reason(known)
