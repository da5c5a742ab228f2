"""A full disk or a database that is away: the camera is told to try again, and nothing is half done."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from gateway import media, recording
from gateway.models import IdempotencyRecord, Item
from policies.models import Line
from tests.conftest import photo

FULL = OSError(errno.ENOSPC, "No space left on device")
AWAY = OperationalError("database is locked")


def post(api: Client) -> HttpResponse:
    headers = {"Idempotency-Key": "one"}
    response: HttpResponse = api.post("/api/v1/lines/phones/items", photo(), content_type="image/jpeg", headers=headers)
    return response


def fails(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("place", "name", "error", "code"),
    [
        (os, "link", FULL, "storage-full"),
        (recording, "write", AWAY, "database-unavailable"),
        (recording, "write", OperationalError("database or disk is full"), "database-unavailable"),
    ],
)
def test_trouble_is_said_and_leaves_nothing(
    line: Line,
    api: Client,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    tmp_path: Path,
    place: Any,
    name: str,
    error: Exception,
    code: str,
) -> None:
    settings.VAR_DIR = tmp_path  # where the photo was never stored before
    with monkeypatch.context() as patch:
        patch.setattr(place, name, fails(error))
        refused = post(api)
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, code, "1")
    assert "same Idempotency-Key" in refused.json()["detail"]
    assert not Item.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert post(api).status_code == 201


def test_other_errors_of_the_system_stay_what_they_are(line: Line, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "store_all", fails(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(PermissionError):
        post(api)
