"""What the tests of the front door share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.models import Event, IdempotencyRecord, Item, Referral


@pytest.fixture
def media_folder(settings: Any, tmp_path: Path) -> Path:
    """A media folder of this test's own, empty at the start."""
    settings.VAR_DIR = tmp_path / "var"
    return tmp_path / "var" / "media"


@pytest.fixture
def untouched(line: Any, media_folder: Path) -> Callable[[], None]:
    """Return a check that since now nothing was recorded and no photo was kept."""

    def traces() -> list[int]:
        files = [path for path in media_folder.rglob("*") if path.is_file()]
        rows = [model.objects.count() for model in (Item, Event, Referral, IdempotencyRecord)]
        return [*rows, len(files)]

    before = traces()

    def check() -> None:
        assert traces() == before, "the refused request left traces"

    return check
