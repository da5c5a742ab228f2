"""A full disk must not stop the clock: without it nothing is due any more, and nobody says so."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from celery.beat import Service

from gateway.celery import app


def test_the_clock_goes_on_where_it_cannot_write_its_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler: Any = Service(app, schedule_filename=str(tmp_path / "beat"), scheduler_cls=app.conf.beat_scheduler).scheduler
    try:
        with monkeypatch.context() as full, caplog.at_level("WARNING"):
            full.setattr(scheduler._store, "sync", _no_space)
            scheduler.sync()
        assert "cannot write its notes" in caplog.text
        caplog.clear()
        scheduler.sync()
        assert not caplog.text
    finally:
        scheduler.close()


def _no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
