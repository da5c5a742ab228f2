"""What the clock starts: every name is a task, and running twice does what running once does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from gateway.celery import app
from monitoring import tasks
from monitoring.models import Alarm, Recall
from policies.changes import active_policy
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.monitoring.guarded import audits, found_wrong, limit

Dial = Callable[..., PolicyVersion]


def test_every_row_of_the_clock_names_a_task() -> None:
    app.loader.import_default_modules()
    assert {row["task"] for row in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_the_tasks_of_monitoring_are_on_the_clock() -> None:
    on_the_clock = {row["task"] for row in app.conf.beat_schedule.values()}
    assert {
        f"monitoring.tasks.{name}" for name in ("watch_guardrails", "open_recalls", "apply_requests", "score_candidates")
    } <= on_the_clock


def test_twice_is_once(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL, thresholds={"ok": 0.9})
    limit(line)
    audits(line, now, [1] * 9)
    found_wrong(line, now)
    assert (tasks.watch_guardrails(), tasks.watch_guardrails()) == (1, 1)
    assert (tasks.open_recalls(), tasks.open_recalls()) == (1, 0)
    assert (Alarm.objects.count(), Recall.objects.count(), active_policy(line).mode) == (1, 1, Mode.PARTIAL)


def test_a_retired_line_is_not_watched(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL)
    limit(line)
    audits(line, now, [1] * 9)
    Line.objects.update(retired_at=now)
    assert tasks.watch_guardrails() == 0
    assert active_policy(line).mode == Mode.FULL


@pytest.mark.django_db
def test_with_nothing_to_do_nothing_is_done() -> None:
    assert (tasks.apply_requests(), tasks.score_candidates(), tasks.open_recalls()) == (0, 0, 0)
