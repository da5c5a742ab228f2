"""When a line trains by itself; and that button, command and clock all ask in the same place."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from policies.models import Line
from review import tasks, training
from review.models import Label, TrainingRun, TrainingState
from review.schedule import due_reason, lines_to_watch
from tests.review.people import arrive, judge

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("after_labels", "after_hours", "labels", "last_ran", "reason"),
    [
        (0, 0, 9, None, None),
        (3, 0, 2, None, None),
        (3, 0, 3, None, "3 new labels"),
        (3, 0, 4, 5, "4 new labels"),
        (0, 24, 0, None, None),
        (0, 24, 1, None, "24 hours since the last training"),
        (0, 24, 1, 23, None),
        (0, 24, 1, 24, "24 hours since the last training"),
        (0, 24, 0, 48, None),
        (5, 24, 2, 25, "24 hours since the last training"),
        (2, 24, 2, 1, "2 new labels"),
    ],
)
def test_a_line_is_due_by_its_labels_or_by_its_hours(
    line: Line,
    ines: User,
    now: datetime,
    after_labels: int,
    after_hours: int,
    labels: int,
    last_ran: int | None,
    reason: str | None,
) -> None:
    line.retrain_after_labels, line.retrain_after_hours = after_labels, after_hours
    if last_ran is not None:
        TrainingRun.objects.create(
            line=line, state=TrainingState.DONE, reason="before", created_at=now - last_ran * HOUR, ended_at=now
        )
    arrive(line, labels, now=now) if labels else None
    for _ in range(labels):
        judge(line, ines, "ok", now)
    assert due_reason(line, now=now) == reason


def test_labels_from_before_the_last_training_are_no_news(line: Line, ines: User, now: datetime) -> None:
    line.retrain_after_labels = 2
    arrive(line, 3, now=now)
    for _ in range(2):
        judge(line, ines, "ok", now - 2 * HOUR)
    TrainingRun.objects.create(line=line, state=TrainingState.FAILED, reason="r", created_at=now - HOUR, ended_at=now)
    judge(line, ines, "ok", now)
    assert due_reason(line, now=now) is None


def test_imported_labels_start_nothing(line: Line, ines: User, now: datetime) -> None:
    line.retrain_after_labels = 1
    arrive(line, now=now)
    judge(line, ines, "ok", now)
    Label.objects.update(source="import")
    assert due_reason(line, now=now) is None


@pytest.mark.parametrize("state", [TrainingState.QUEUED, TrainingState.RUNNING])
def test_a_line_that_trains_is_not_due(line: Line, ines: User, now: datetime, state: TrainingState) -> None:
    line.retrain_after_labels = 1
    TrainingRun.objects.create(line=line, state=state, reason="r", created_at=now - HOUR)
    arrive(line, now=now)
    judge(line, ines, "ok", now)
    assert due_reason(line, now=now) is None


def test_only_lines_with_a_schedule_are_watched(line: Line, other_line: Line, now: datetime) -> None:
    assert list(lines_to_watch()) == []
    Line.objects.update(retrain_after_hours=24)
    Line.objects.filter(pk=other_line.pk).update(retired_at=now)
    assert list(lines_to_watch()) == [line]


def test_the_clock_starts_what_is_due_and_wakes_who_waits(
    line: Line, other_line: Line, ines: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks, "wake", lambda task, *args: woken.append((task.name, *args)))
    forgotten = TrainingRun.objects.create(line=other_line, reason="its message was lost", created_at=now)
    Line.objects.filter(pk=line.pk).update(retrain_after_labels=1)
    arrive(line, now=now)
    judge(line, ines, "ok", now)

    assert tasks.train_what_is_due() == 2
    run = TrainingRun.objects.get(line=line)
    assert (run.reason, run.requested_by, run.state) == ("1 new label", None, TrainingState.QUEUED)
    assert woken == [("review.tasks.run_training", forgotten.pk)], "one at a time, the oldest first"
    tasks.train_what_is_due()
    assert TrainingRun.objects.count() == 2, "the clock does not ask twice"


def test_a_button_pressed_in_the_same_moment_is_no_error(
    line: Line, ines: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "wake", lambda task, *args: None)
    monkeypatch.setattr(tasks, "due_reason", lambda line, now: "due")
    Line.objects.filter(pk=line.pk).update(retrain_after_labels=1)
    TrainingRun.objects.create(line=line, reason="the button", created_at=now)
    assert tasks.train_what_is_due() == 1


def test_the_button_starts_a_run_and_wakes_the_worker(line: Line, max_: User, login: Any) -> None:
    browser: Client = login(max_)
    browser.post(f"/lines/{line.slug}/retrain/")
    run = TrainingRun.objects.get()
    assert (run.requested_by, run.line) == (max_, line)
    assert run.state == TrainingState.FAILED, "the worker of the tests works at once, and there are no labels"


def test_the_command_trains_here_and_says_why_it_failed(line: Line) -> None:
    with pytest.raises(CommandError, match="Nobody has labelled"):
        call_command("retrain", line.slug, "--here", stdout=io.StringIO())
    assert TrainingRun.objects.get().reason == "Asked for on the command line"


def test_the_command_follows_the_worker(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.management.commands.retrain.time.sleep", lambda seconds: None)
    with pytest.raises(CommandError, match="Nobody has labelled"):
        call_command("retrain", line.slug, stdout=io.StringIO())


def test_the_command_is_refused_while_a_run_is_open(line: Line, now: datetime) -> None:
    training.request_training(line, by=None, reason="the button", now=now)
    with pytest.raises(CommandError, match="not ended"):
        call_command("retrain", line.slug, stdout=io.StringIO())
    with pytest.raises(CommandError, match="no line"):
        call_command("retrain", "nowhere", stdout=io.StringIO())
    assert TrainingRun.objects.count() == 1
