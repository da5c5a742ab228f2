"""SIGTERM to the whole service: it says so, finishes what it took, and leaves nothing running."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.utils import timezone

from gateway import stopping
from gateway.stopping import GentleManager
from gateway.tokens import SCOPES, create_token
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.modes import Mode
from tests.conftest import photo
from tests.races import on_a_file, present_address

HOST = "127.0.0.1"
# A machine with much else to do takes its time to start four processes.
LONG = 180.0


@pytest.fixture
def folder(transactional_db: None, tmp_path: Path) -> Path:
    """A migrated database in a folder of its own."""
    (tmp_path / "var").mkdir()
    return tmp_path / "var"


@pytest.fixture
def secret(folder: Path) -> str:
    """A line and a camera's token; its secret."""
    now = timezone.now()
    with on_a_file(folder / "sluice.sqlite3"):
        create_line(
            "phones", "Phones", "?", [ClassDraft("ok", "Ok"), ClassDraft("dent", "Dent")], Draft(Mode.HUMAN_ONLY), now=now
        )
        return create_token("camera", scopes=list(SCOPES), line=None, by=None, now=now)[1]


class Service:
    """`manage.py serve`, all of it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        with closing(socket.socket()) as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        own = {"DJANGO_SETTINGS_MODULE": "gateway.settings", "SLUICE_VAR": str(folder), "OMP_NUM_THREADS": "1", **environment}
        own["DATABASE_URL"] = present_address()
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env=kept | own, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: list[str] = []
        self.up = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if "SLUICE_URL=" in line:
                self.up.set()
        self.process.stdout.close()

    def ask(self, path: str) -> int:
        """Return the status, 0 where nobody listens."""
        try:
            with closing(http.client.HTTPConnection(HOST, self.port, timeout=5)) as connection:
                connection.request("GET", path)
                return connection.getresponse().status
        except OSError:
            return 0

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def service(folder: Path, secret: str) -> Iterator[Service]:
    """The service, running; gone at the end whatever happens."""
    one = Service(folder, DRAIN_SECONDS="2")
    family: list[psutil.Process] = []
    try:
        assert one.up.wait(LONG), one.said
        family = one.family()
        yield one
    finally:
        rest = [psutil.Process(one.process.pid), *one.family()] if one.process.poll() is None else []
        for process in [*family, *rest]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        one.process.wait(10)
        one.reader.join(10)


def begin(service: Service, secret: str, data: bytes) -> socket.socket:
    """Send the head of a post and return once the door reads the body: the server says when by `100 Continue`."""
    camera = socket.create_connection((HOST, service.port), timeout=LONG)
    head = f"POST /api/v1/lines/phones/items HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
    head += f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\nExpect: 100-continue\r\n\r\n"
    camera.sendall(head.encode())
    assert b"100 Continue" in camera.recv(1000)
    return camera


def until(what: str, wanted: set[int], service: Service) -> None:
    deadline, pause = time.monotonic() + LONG, threading.Event()
    while service.ask(what) not in wanted:
        assert time.monotonic() < deadline, f"{what} never answered {wanted}"
        pause.wait(0.02)


def test_a_post_in_flight_gets_its_answer(service: Service, secret: str) -> None:
    data, family = photo(7), service.family()
    with closing(begin(service, secret, data)) as camera:
        service.process.send_signal(signal.SIGTERM)
        until("/readyz", {503}, service)
        assert service.ask("/livez") == 200, "it says no before it stops"
        until("/livez", {0}, service)
        camera.sendall(data)
        answer = b""
        while part := camera.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201"), answer
    assert json.loads(body)["status"] == "referred"
    assert service.process.wait(LONG) == 0, service.said
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, alive


class Killed:
    """Stands where processes are signalled."""

    def __init__(self) -> None:
        self.signals: list[bool] = []

    def killall(self, force: bool = False) -> None:
        self.signals.append(force)


def test_what_does_not_finish_in_time_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time goes by as the test says: what was to happen later is kept in a list."""
    clock, later, killed = [100.0], list[tuple[float, object]](), Killed()
    monkeypatch.setattr(stopping.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(stopping, "_later", lambda seconds, call: later.append((seconds, call)))
    manager = GentleManager(marker=tmp_path / "stopping", drain=3, patience=30)
    monkeypatch.setattr(manager, "_killall", killed.killall)

    manager.terminate()
    manager.terminate()
    assert (tmp_path / "stopping").exists() and [seconds for seconds, _ in later] == [3, 33]
    clock[0] += 32.9
    manager.kill()
    assert killed.signals == []
    clock[0] += 0.2
    manager.kill()
    assert killed.signals == [True]


def test_nobody_has_to_read_for_it_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read its output is gone: the processes are stopped nevertheless."""

    class Gone:
        width = 0

        def write(self, message: object) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(stopping, "_later", lambda seconds, call: call())
    manager = GentleManager(marker=tmp_path / "stopping", drain=0, patience=30, printer=Gone())
    signalled = list[int]()
    monkeypatch.setattr(manager._procmgr, "terminate", signalled.append)
    manager._processes = {"web": {"pid": 4_000_000}}
    manager.terminate()
    assert signalled == [4_000_000]
