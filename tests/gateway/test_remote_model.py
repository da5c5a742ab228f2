"""A line whose champion runs on another server: when it is gone, items go to people and the line stays up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from gateway import deployments
from gateway.models import Referral, Role
from inference import service
from inference.models import ModelVersion
from inference.remote import links as module
from inference.remote.breaker import Breaker, Rules
from inference.remote.links import links
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.inference.remote.server import Hangs, Served, Server, says

COMMAND = ["remote_model", "add"]


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> Iterator[None]:
    """Models, weights and breakers of this test alone."""
    settings.VAR_DIR = tmp_path
    models = service.Models()
    monkeypatch.setattr(service, "models", models)
    monkeypatch.setattr("inference.remote.retrying.FIRST_PAUSE", 0.0)
    yield
    models.close()
    links.close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(Served())
    yield running
    running.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by which a breaker rests."""
    now = [0.0]
    monkeypatch.setattr(module, "Breaker", lambda: Breaker(Rules(), lambda: now[0]))
    return now


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def remote(line: Line, dial: Callable[..., PolicyVersion], server: Server, clock: list[float]) -> ModelVersion:
    """The line in full automation by a model on that server."""
    run(*COMMAND, server.url, "phones", "--classes", "ok,scratch,dent", "--line", "phones", "--role", "champion")
    dial(Mode.FULL)
    found = deployments.champion(line)
    assert found is not None
    return found


def test_its_answer_decides(remote: ModelVersion, post: Callable[..., dict[str, Any]]) -> None:
    answer = post()
    assert (answer["status"], answer["route"], answer["model_version"]) == ("decided", "automate", remote.name)


def test_a_server_that_goes_costs_no_item_and_comes_back_by_itself(
    remote: ModelVersion, server: Server, clock: list[float], post: Callable[..., dict[str, Any]]
) -> None:
    assert post(0)["status"] == "decided"
    server.stop()
    for seed in range(1, 6):
        answer = post(seed)
        assert (answer["route"], answer["reason"], answer["prediction"]) == ("refer", "model_unavailable", None)
    assert links.status(remote.weights_digest).refusals == 2
    again = Server(server.served, server.server_address[1])
    try:
        # Nobody has to do anything but wait.
        assert post(6)["reason"] == "model_unavailable"
        clock[0] += 1.0
        assert post(7)["status"] == "decided"
        assert post(8)["status"] == "decided"
    finally:
        again.stop()
    assert Referral.objects.filter(reason="model_unavailable").count() == 6


def test_a_server_that_hangs_costs_its_time_once(
    remote: ModelVersion,
    server: Server,
    settings: Any,
    post: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.MODEL_TIMEOUT_SECONDS = 0.3
    # A busy machine may take part of so short a limit before the call is made.
    monkeypatch.setattr(module, "GRAVE_SHARE", 0.01)
    service.warm(remote)
    server.served.always = hangs = Hangs()
    for seed in range(4):
        assert post(seed)["reason"] == "model_unavailable"
    hangs.go.set()
    assert server.served.count("/infer") <= 1 + 3  # the probe of the command was three


def test_rubbish_decides_nothing(remote: ModelVersion, server: Server, post: Callable[..., dict[str, Any]]) -> None:
    server.served.always = says(p=[[0.9, 0.9, 0.9]])
    assert post()["reason"] == "model_unavailable"


def test_the_command_registers_and_leaves_service_to_the_pages(line: Line, server: Server) -> None:
    said = run(*COMMAND, server.url, "phones", "--classes", "ok, scratch, dent", "--std", "2", "2", "4", "--json")
    version = ModelVersion.objects.get()
    assert "toy 1 answers" in said
    assert "a black picture: ok" in said
    assert version.name in said
    assert "model page" in said
    assert deployments.champion(line) is None
    assert version.card["manifest"]["std"] == [2.0, 2.0, 4.0]
    assert "ms a picture, version 1" in run("remote_model", "check", version.name)
    assert "was registered before" in run(
        *COMMAND, server.url, "phones", "--classes", "ok,scratch,dent", "--std", "2", "2", "4"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--classes", "ok,scratch,dent", "--line", "nowhere"], "no line 'nowhere'"),
        (["--classes", "ok,scratch"], "2 a picture were expected"),
        (["--classes", "ok,scratch,dent", "--input", "y"], "no input 'y'; there are: x"),
        (["--classes", "ok,scratch,dent", "--kind", "smell"], "no kind 'smell'"),
        (["--classes", "ok,scratch,tear", "--line", "phones"], "tear, which the line phones does not have"),
    ],
)
def test_what_the_command_refuses(line: Line, server: Server, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*COMMAND, server.url, "phones", *words)
    assert deployments.challenger(line) is None


def test_the_command_says_that_nobody_is_there(line: Line, server: Server) -> None:
    server.stop()
    with pytest.raises(CommandError, match="cannot be reached"):
        run(*COMMAND, server.url, "phones", "--classes", "ok,scratch,dent")
    with pytest.raises(CommandError, match="no model 'x'"):
        run("remote_model", "check", "x")


def test_it_is_deployed_with_an_event_like_every_model(remote: ModelVersion, line: Line, now: datetime) -> None:
    event = line.events.get(kind="model.champion")
    assert (event.to_state, event.reason) == (remote.name, "On the command line")
    assert line.deployments.get(role=Role.CHAMPION).model_version == remote
