"""Several watchers at the same moment, and a manager who turns the dial meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from gateway.models import Event
from monitoring.guarding import watch
from monitoring.models import Alarm
from monitoring.recalls import open_recalls
from policies.changes import active_policy, change_policy, draft_of
from policies.errors import StalePolicy
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.monitoring import rows
from tests.monitoring.guarded import audits, found_wrong, limit
from tests.races import race

pytestmark = pytest.mark.usefixtures("file_database")
Dial = Callable[..., PolicyVersion]


def test_many_watchers_turn_it_down_once(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL, thresholds={"ok": 0.9})
    limit(line)
    audits(line, now, [1] * 10)
    results = race(*(lambda: watch(line, now=now) for _ in range(4)))
    assert sorted(len(result) for result in results) == [0, 0, 0, 1], results
    assert Alarm.objects.count() == Event.objects.filter(kind="guardrail.alarm").count() == 1
    assert active_policy(line).mode == Mode.PARTIAL


def test_people_are_told_once(line: Line, dial: Dial, now: datetime) -> None:
    """An alarm that turns nothing down has no policy to fail on."""
    dial(Mode.SHADOW)
    for _ in range(20):
        rows.item(line, now, reason="model_unavailable", received_at=now)
    results = race(*(lambda: watch(line, now=now) for _ in range(4)))
    assert sorted(len(result) for result in results) == [0, 0, 0, 1], results
    assert Alarm.objects.get().watch == "unavailable"


def test_a_manager_who_changes_something_else_does_not_save_the_line(line: Line, dial: Dial, now: datetime) -> None:
    current = dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    limit(line)
    audits(line, now, [1] * 10)
    draft = replace(draft_of(current), due_seconds=60)

    def change() -> PolicyVersion:
        return change_policy(line, draft, expected=current.number, by=None, reason="race", now=now)

    watched, changed = race(lambda: watch(line, now=now), change)
    assert len(watched) == 1
    assert active_policy(line).mode == Mode.ASSIST
    assert isinstance(changed, PolicyVersion | StalePolicy)


def test_many_openers_open_one_recall(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL)
    found_wrong(line, now)
    results = race(*(lambda: open_recalls(line, now=now) for _ in range(4)))
    assert sorted(len(result) for result in results) == [0, 0, 0, 1], results
    assert Event.objects.filter(kind="recall.opened").count() == 1
