"""A real MLServer with a model of this test's, asked through the whole road, killed and stopped in the middle of it.

It needs MLServer in an environment of its own, which `make test-mlserver` builds once; elsewhere these tests are skipped.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as project
from django.core.management import call_command

from gateway import deployments
from gateway.limits import photo_limits
from gateway.models import Decision, Item, Referral
from inference import kinds, service
from inference.remote.breaker import State
from inference.remote.links import links
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.conftest import photo

MLSERVER = Path(os.environ.get("MLSERVER") or project.BASE_DIR / ".mlserver" / "bin" / "mlserver")
pytestmark = pytest.mark.skipif(not MLSERVER.exists(), reason=f"no MLServer at {MLSERVER}: `make test-mlserver` installs it")

# Seconds for the server to come up, or for the line to find it again.
PATIENCE = 90.0
# It says of each picture that it is a scratch, as surely as it is bright, and where it is brightest.
MODEL = """
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Brightness(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        pictures = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float64) / 255
        bright = pictures.mean(axis=(1, 2, 3))
        rows = np.stack([1 - bright, bright, 0 * bright], axis=1).astype(np.float32)
        maps = pictures.mean(axis=3).reshape(-1, 14, 16, 14, 16).mean(axis=(2, 4)).astype(np.float32)
        outputs = [NumpyCodec.encode_output("p", rows), NumpyCodec.encode_output("heat", maps)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
"""


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class MLServer:
    """The process, at the same place every time it is started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        http, grpc, metrics = free_ports(3)
        self.url = f"http://127.0.0.1:{http}"
        model = {"name": "phones", "implementation": "brightness.Brightness", "parameters": {"version": "v1"}}
        server = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics, "parallel_workers": 0}
        (folder / "brightness.py").write_text(MODEL)
        (folder / "model-settings.json").write_text(json.dumps(model))
        (folder / "settings.json").write_text(json.dumps(server))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            # A session of its own, so that nothing but this server and what it starts gets our signals.
            self._process = subprocess.Popen(
                [MLSERVER, "start", "."], cwd=self._folder, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Return when the model is ready."""
        until(self._is_ready, lambda: (self._folder / "log").read_text()[-2000:])

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v2/models/phones/ready", timeout=2).status_code == 200
        except httpx.TransportError:
            return False


def until(happens: Callable[[], bool], said: Callable[[], str] = lambda: "") -> float:
    """Wait for something; return the seconds it took."""
    started, never = time.monotonic(), threading.Event()
    while not happens():
        assert time.monotonic() - started < PATIENCE, said()
        never.wait(0.1)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLServer]:
    made = MLServer(tmp_path_factory.mktemp("mlserver"))
    made.start()
    made.wait()
    yield made
    made.kill()


@pytest.fixture
def server(
    installed: MLServer,
    line: Line,
    dial: Callable[..., PolicyVersion],
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MLServer]:
    """The server, with its model as champion of the line in full automation."""
    settings.VAR_DIR = tmp_path
    settings.MODEL_TIMEOUT_SECONDS = 5
    models = service.Models()
    monkeypatch.setattr(service, "models", models)
    call_command(
        "remote_model", "add", installed.url, "phones", "--classes", "ok,scratch,dent", "--input", "x", "--datatype", "UINT8",
        "--output", "p", "--heatmap", "heat", "--line", "phones", "--role", "champion",
    )  # fmt: skip
    dial(Mode.FULL)
    yield installed
    models.close()
    links.close()


def status(line: Line):
    champion = deployments.champion(line)
    assert champion is not None
    return links.status(champion.weights_digest)


def test_its_answer_decides(server: MLServer, line: Line, post: Callable[..., dict[str, Any]]) -> None:
    answer = post(seed=3)
    bright = kinds.get("inspection").decode(photo(3), limits=photo_limits()).pixels.mean() / 255
    assert answer["prediction"]["probabilities"]["scratch"] == pytest.approx(bright, abs=1e-4)
    said = Item.objects.get(pk=answer["id"]).predictions.get()
    assert (said.heatmap_rows, said.heatmap_columns, said.model_version.card["server"]) == (14, 14, "mlserver 1.7.1")
    assert (answer["route"], said.model_version.card["served_version"]) == ("automate", "v1")


def test_killed_in_the_middle_it_costs_no_item_and_comes_back_by_itself(
    server: MLServer, line: Line, post: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[dict[str, Any]] = []

    def one() -> bool:
        answers.append(post(seed=len(answers)))
        return answers[-1]["route"] == "automate"

    assert all(one() for _ in range(10))
    server.kill()
    gone = [not one() for _ in range(30)]
    assert all(gone)
    assert status(line).state is State.OPEN
    server.start()
    back = until(one)
    assert all(one() for _ in range(10))
    referred = sum(answer["reason"] == "model_unavailable" for answer in answers)
    # Every post was answered with 201 (`post` asserts it), and every item has a decision or somebody to make it.
    assert Item.objects.count() == len(answers)
    assert Decision.objects.count() == len(answers) - referred
    assert Referral.objects.filter(reason="model_unavailable").count() == referred
    seen = status(line)
    with capsys.disabled():
        sys.stdout.write(f"\n  killed: {referred} of {len(answers)} items to people, back after {back:.1f} s; {seen}")


def test_stopped_it_costs_its_time_limit_once(
    server: MLServer, line: Line, post: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert post(seed=0)["route"] == "automate"
    server.send(signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert all(post(seed=seed)["reason"] == "model_unavailable" for seed in range(1, 20))
        took = time.monotonic() - started
        # The first pays the whole limit; the others are refused at once, but for the probes, of a second each.
        assert 5 <= took < 15
    finally:
        server.send(signal.SIGCONT)
    back = until(lambda: post(seed=int(time.monotonic() * 1000))["route"] == "automate")
    with capsys.disabled():
        sys.stdout.write(f"\n  stopped: 19 items answered in {took:.1f} s, back after {back:.1f} s; {status(line)}")
