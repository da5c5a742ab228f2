"""kill -9 of the worker while a message is on the wire: it comes again, as the same message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as kept
from django.utils import timezone

from gateway.webhooks import sending
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model
from tests.gateway.webhooks.receiver import Answer, Message, Receiver
from tests.races import on_a_file, present_address

WORKER = "import django; django.setup(); from gateway.webhooks.tasks import send_webhooks; send_webhooks()"


def worker(folder: Path) -> subprocess.Popen[bytes]:
    """Start a worker's round in a process of its own, on the database in `folder`."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment |= {"DJANGO_SETTINGS_MODULE": "gateway.settings", "SLUICE_VAR": str(folder), "OMP_NUM_THREADS": "1"}
    environment["DATABASE_URL"] = present_address()
    environment |= {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "WEBHOOK_ALLOW_HTTP": "true"}
    return subprocess.Popen([sys.executable, "-c", WORKER], env=environment, cwd=kept.BASE_DIR, stderr=subprocess.DEVNULL)


@pytest.fixture
def folder(transactional_db: None, tmp_path: Path) -> Any:
    """The database as a file where a worker of its own looks for it; this test stands on it too."""
    (tmp_path / "var").mkdir()
    with on_a_file(tmp_path / "var" / "sluice.sqlite3"):
        yield tmp_path / "var"


def test_a_killed_sender_loses_nothing(
    folder: Path,
    receiver: Receiver,
    endpoint_of: Callable[..., Endpoint],
    line: Line,
    dial: Any,
    post: Any,
    model: Model,
    now: datetime,
) -> None:
    dead = threading.Event()

    def hang(message: Message) -> Answer:
        assert dead.wait(60)
        return 204, {}, b""

    receiver.answer = hang
    endpoint_of(url=receiver.url, types=["item.decided"])
    dial(Mode.FULL)
    answers = [post(seed) for seed in range(6)]
    process = worker(folder)
    try:
        assert receiver.came.wait(60), "the worker sent nothing"
        # Derived and claimed, four on the wire and two behind them, none of them noted.
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait(10)
        dead.set()
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.PENDING}
    assert Delivery.objects.exclude(claim=None).count() == 6
    Delivery.objects.update(next_at=timezone.now())
    receiver.answer = lambda message: (204, {}, b"")
    assert sending.run_round() == 6
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}
    # The same text under the same id, so that the receiver can tell the repetition.
    sent = {(message.headers["webhook-id"], message.body) for message in receiver.messages}
    assert len(sent) == 6
    assert {answer["id"] for answer in answers} == {body.split('"item": "')[1][:36] for _, body in sent}
