"""kill -9 in the middle of a stream of posts: what was acknowledged is there, once, with its photo."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from gateway import media
from gateway.management.commands.serve import _commands
from gateway.models import Item
from gateway.tokens import SCOPES, create_token
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.modes import Mode
from tests.conftest import photo
from tests.races import on_a_file, present_address

HOST = "127.0.0.1"
THREADS = 4
ROUNDS = 2
# Acknowledged in a round before the power goes: the threads are then in the middle of their next posts.
ACKNOWLEDGED = 20
# Longer than anything takes on a busy machine; reached only where something never comes.
PATIENCE = 300.0


@dataclass
class Server:
    """The web server as `manage.py serve` starts it, on a folder of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        command = dict(_commands(HOST, self.port, with_conveyor=False))["web"]
        environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        environment |= {"DJANGO_SETTINGS_MODULE": "gateway.settings", "SLUICE_VAR": str(self.folder), "OMP_NUM_THREADS": "1"}
        environment |= {"DATABASE_URL": present_address()}
        # A group of its own, so that the blow hits the server's worker and not only its parent.
        self.process = subprocess.Popen(
            command, env=environment, cwd=settings.BASE_DIR, start_new_session=True, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not self._answers():
            assert self.process.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline, "the server does not answer"
            pause.wait(0.05)

    def kill(self) -> None:
        """Kill -9, all of it."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
            self.process = None

    def _answers(self) -> bool:
        try:
            with closing(http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)) as wire:
                wire.request("GET", "/readyz")
                return wire.getresponse().status == 200
        except OSError:
            return False


@dataclass
class Stream:
    """What cameras sent and what they were told."""

    port: int
    secret: str
    # The first photo's number, so that every round has photos of its own.
    first: int
    sent: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    enough: threading.Event = field(default_factory=threading.Event)

    def post(self, wire: http.client.HTTPConnection, key: str) -> dict[str, Any]:
        """Send the photo that belongs to the key."""
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "image/jpeg", "Idempotency-Key": key}
        wire.request("POST", f"/api/v1/lines/phones/items?external_id={key}", photo(self.sent[key]), headers)
        response = wire.getresponse()
        body = response.read()
        assert response.status == 201, body
        return dict(json.loads(body))

    def run(self, number: int, of: int) -> None:
        """Post until the server is gone."""
        seed = self.first + number
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)) as wire:
            while True:
                seed += of
                key = f"camera-{number}-{seed}"
                self.sent[key] = seed
                try:
                    self.told[key] = self.post(wire, key)["id"]
                except (OSError, http.client.HTTPException):
                    return
                if len(self.told) >= ACKNOWLEDGED:
                    self.enough.set()


@pytest.fixture
def folder(transactional_db: None, tmp_path: Path) -> Path:
    """A migrated database with one line, in a folder of its own."""
    (tmp_path / "var").mkdir()
    return tmp_path / "var"


@pytest.fixture
def secret(folder: Path) -> str:
    """Set the line up, and return the secret of a camera's token."""
    now = timezone.now()
    with on_a_file(folder / "sluice.sqlite3"):
        classes = [ClassDraft("ok", "Ok"), ClassDraft("dent", "Dent")]
        create_line("phones", "Phones", "?", classes, Draft(Mode.HUMAN_ONLY), now=now, unique_external_ids=True)
        return create_token("camera", scopes=list(SCOPES), line=None, by=None, now=now)[1]


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """The server, not started yet; gone at the end."""
    with closing(socket.socket()) as place:
        # Kept for as long as the server comes and goes, so that nobody else gets the port; Granian shares it as this does.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind((HOST, 0))
        one = Server(folder, place.getsockname()[1])
        yield one
        one.kill()


def interrupted(server: Server, stream: Stream) -> None:
    """Let the cameras post at the running server, and kill it while they do."""
    threads = [threading.Thread(target=stream.run, args=(number, THREADS), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    assert stream.enough.wait(PATIENCE), "the server takes no posts"
    server.kill()
    for thread in threads:
        thread.join(PATIENCE)


def kept(folder: Path) -> list[tuple[str, str, str]]:
    """Return id, external id and digest of every item, read from the file itself where it is one."""
    if connection.vendor != "sqlite":
        return [
            (item.hex, external, digest)
            for item, external, digest in Item.objects.values_list("id", "external_id", "media_digest")
        ]
    with closing(sqlite3.connect(folder / "sluice.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT id, external_id, media_digest FROM gateway_item").fetchall()
    return [(str(item), str(external), str(digest)) for item, external, digest in rows]


def check(server: Server, stream: Stream) -> None:
    """Nothing acknowledged is lost or there twice; a retry finds the first answer or does the work."""
    before = {external: item for item, external, _ in kept(server.folder)}
    assert {key: item.replace("-", "") for key, item in stream.told.items()}.items() <= before.items()
    server.start()
    with closing(http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)) as wire:
        again = {key: stream.post(wire, key)["id"] for key in stream.sent}
    assert stream.told.items() <= again.items()
    rows = [row for row in kept(server.folder) if row[1] in stream.sent]
    assert sorted(external for _, external, _ in rows) == sorted(stream.sent)
    for _, external, digest in rows:
        data = photo(stream.sent[external])
        assert digest == media.digest_of(data)
        assert media.path_of(digest).read_bytes() == data


def test_a_killed_server_loses_nothing_that_it_acknowledged(
    server: Server, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VAR_DIR", server.folder)
    server.start()
    for number in range(ROUNDS):
        stream = Stream(server.port, secret, first=1000 * number)
        interrupted(server, stream)
        check(server, stream)
