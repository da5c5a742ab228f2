"""The policy that an item is recorded under stays in force until it is recorded, however many write at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from gateway import recording
from gateway.models import Decision, Item
from policies.changes import active_policy, stop_automation
from policies.locks import keep_policy
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo
from tests.races import STUCK_SECONDS, race

pytestmark = pytest.mark.usefixtures("file_database")

# So long a change is given to come between, which it must not.
WINDOW_SECONDS = 0.2


def test_automation_that_was_lowered_decides_nothing_more(
    line: Line,
    dial: Callable[..., Any],
    model: Model,
    token: tuple[Any, str],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The red switch is pressed when the post has read the policy and not yet written anything."""
    dial(Mode.FULL)
    reading, stopped, overtook = threading.Event(), threading.Event(), []
    real = recording.write

    def write(outcomes: Any) -> None:
        reading.set()
        overtook.append(stopped.wait(WINDOW_SECONDS))
        real(outcomes)

    def post() -> int:
        client = Client(headers={"Authorization": f"Bearer {token[1]}"})
        return client.post("/api/v1/lines/phones/items", photo(), content_type="image/jpeg").status_code

    def stop() -> list[Any]:
        assert reading.wait(STUCK_SECONDS)
        stop_automation(line, by=None, reason="red switch", now=now)
        stopped.set()
        return list(Decision.objects.values_list("policy__mode", flat=True))

    monkeypatch.setattr(recording, "write", write)
    status, decided_when_stopped = race(post, stop)
    assert (status, overtook) == (201, [False])
    # What the switch found decided when it answered is all that was ever decided.
    assert decided_when_stopped == ["full"] == list(Decision.objects.values_list("policy__mode", flat=True))
    assert active_policy(line).mode == Mode.HUMAN_ONLY
    assert Item.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_posts_of_a_line_keep_its_policy_together(line: Line) -> None:
    """Whoever keeps it does not wait for others who do."""
    both = threading.Barrier(2)

    def keep() -> bool:
        with transaction.atomic():
            keep_policy(line)
            both.wait(STUCK_SECONDS)
        return True

    assert race(keep, keep) == [True, True]
