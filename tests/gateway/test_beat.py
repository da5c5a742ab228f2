"""What the clock wakes exists: a wrong name would be found by nobody until it is missed."""

from __future__ import annotations

from gateway.celery import app


def test_every_task_of_the_clock_is_one_of_the_workers() -> None:
    app.loader.import_default_modules()
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert asked <= set(app.tasks)
