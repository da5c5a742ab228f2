"""The embedded broker keeps its messages over kill -9, and a worker that comes later does the work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

ROOT = Path(__file__).resolve().parents[2]
# Seconds; longer than anything takes on a busy machine, and reached only where something never comes.
PATIENCE = 120.0
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def socket_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path: that of a socket may not be longer than about a hundred bytes."""
    return tmp_path_factory.mktemp("b") / "s"


@pytest.fixture
def start(tmp_path: Path, socket_path: Path) -> Iterator[Start]:
    """Start the broker on the same folder, as often as the test wants."""
    running: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gateway.broker", str(socket_path), str(tmp_path / "broker")]
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)


def client(path: Path) -> redis.Redis:
    """Return a client that tries again until the broker answers."""
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), int(PATIENCE / 0.05))
    errors = [redis.ConnectionError, redis.TimeoutError, OSError]
    return redis.Redis(unix_socket_path=str(path), retry=retry, retry_on_error=errors, socket_timeout=PATIENCE)


def test_a_message_outlives_the_broker_that_took_it(start: Start, socket_path: Path) -> None:
    first = start()
    with client(socket_path) as broker:
        broker.rpush("celery", "a message")
        # The append-only file is synced by the clock; this waits for it instead of for the clock.
        assert broker.waitaof(1, 0, int(PATIENCE * 1000) // 2)[0] == 1
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(PATIENCE)

    start()
    with client(socket_path) as broker:
        assert broker.lrange("celery", 0, -1) == [b"a message"]


def test_only_its_user_can_open_the_socket(start: Start, socket_path: Path) -> None:
    start()
    with client(socket_path) as broker:
        broker.ping()
    assert socket_path.stat().st_mode & 0o077 == 0


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def test_a_server_that_was_killed_is_started_again(start: Start, socket_path: Path) -> None:
    """However early: it answers before whoever started it has seen that it does."""
    process = start()
    with client(socket_path) as broker:
        broker.rpush("celery", "a message")
        assert broker.waitaof(1, 0, int(PATIENCE * 1000) // 2)[0] == 1
        (first,) = children(process)
        os.kill(first, signal.SIGKILL)
        assert broker.lrange("celery", 0, -1) == [b"a message"]
    (second,) = children(process)
    assert second != first and process.poll() is None


def test_it_stops_with_its_server(start: Start, socket_path: Path) -> None:
    process = start()
    with client(socket_path) as broker:
        broker.ping()
    (server,) = children(process)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert not Path(f"/proc/{server}").exists()
