"""/livez and /readyz: what turns cameras away, and what is only told."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from gateway import health
from gateway.health import Broker
from inference import service
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model


@pytest.fixture(autouse=True)
def stage(db: None, media_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that answers, and a folder to write to."""
    media_folder.mkdir(parents=True)
    monkeypatch.setattr(health, "broker", Broker(lambda: ""))


def ready() -> tuple[int, dict[str, str]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def test_health_needs_no_login() -> None:
    assert ready() == (200, {"status": "ok"})
    assert Client().get("/livez").json() == {"status": "ok"}


def test_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as down:
        down.setattr(connection, "cursor", broken)
        found, alive = ready(), Client().get("/livez").status_code
    assert found == (503, {"status": "unavailable", "database": "DatabaseError"})
    assert alive == 200


def test_a_media_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.os, "access", lambda *args: False)
    assert ready() == (503, {"status": "unavailable", "media": "cannot be written"})


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = namedtuple("facts", "f_bavail f_frsize")(10, 4096)
    monkeypatch.setattr(health.os, "statvfs", lambda place: facts)
    assert ready() == (503, {"status": "unavailable", "media": "the disk is full"})


def test_a_fresh_folder_without_a_photo_is_ready(media_folder: Path) -> None:
    media_folder.rmdir()
    assert ready() == (200, {"status": "ok"})


def test_a_model_that_is_not_loaded_sends_items_to_people_and_turns_nobody_away(
    line: Line, model: Model, dial: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ready() == (200, {"status": "ok"}), "a line that asks no model needs none"
    dial(Mode.FULL)
    assert ready() == (200, {"status": "degraded", "models": "1 of 1 not loaded"})
    monkeypatch.setattr(service, "is_loaded", lambda version: True)
    assert ready() == (200, {"status": "ok"})


def test_a_broker_that_is_away_turns_nobody_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "broker", Broker(lambda: "cannot be reached"))
    assert ready() == (200, {"status": "degraded", "broker": "cannot be reached"})


def test_the_real_broker_is_missed_where_there_is_none(settings: Any, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path / 'nobody'}"
    assert health._ask_broker() == "cannot be reached"


def test_the_broker_is_asked_now_and_then() -> None:
    asked, clock = list[str](), [0.0]
    broker = Broker(lambda: asked.append("") or "", clock=lambda: clock[0])
    for clock[0] in (0.0, 1.0, 4.9, 5.0, 6.0):
        broker.state()
    assert len(asked) == 2


def test_a_service_that_stops_says_so_and_lives(settings: Any, tmp_path: Path) -> None:
    settings.STOPPING_FILE = str(tmp_path / "stopping")
    assert ready()[0] == 200
    (tmp_path / "stopping").touch()
    assert ready() == (503, {"status": "stopping"})
    assert Client().get("/livez").status_code == 200
