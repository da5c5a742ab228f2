"""Changing the policy, going back, and the red switch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from policies.changes import active_policy, change_policy, draft_of, roll_back, stop_automation
from policies.errors import InvalidPolicy, NothingToRollBack, StalePolicy
from policies.models import Line, PolicyVersion
from policies.modes import Mode

Dial = Callable[..., PolicyVersion]


def change(line: Line, now: datetime, **values: Any) -> PolicyVersion:
    arguments = {"expected": active_policy(line).number, "by": None, "reason": "test", "now": now}
    arguments |= {name: values.pop(name) for name in list(values) if name in arguments}
    return change_policy(line, replace(draft_of(active_policy(line)), **values), **arguments)


def test_a_change_makes_a_version_and_ends_the_one_before(line: Line, max_: User, now: datetime) -> None:
    later = now + timedelta(minutes=5)
    new = change(line, later, mode=Mode.PARTIAL, thresholds={"ok": 0.9}, by=max_, reason="  certified  ")
    first = PolicyVersion.objects.get(line=line, number=1)

    assert (new.number, new.mode, new.thresholds, new.created_by, new.reason) == (2, "partial", {"ok": 0.9}, max_, "certified")
    assert (new.superseded_at, first.superseded_at) == (None, later)
    assert (first.mode, first.thresholds) == ("human_only", {})
    assert active_policy(line) == new


def test_a_stale_draft_is_refused_and_changes_nothing(line: Line, now: datetime) -> None:
    change(line, now, mode=Mode.SHADOW)
    with pytest.raises(StalePolicy, match="Version 1 is no longer in force"):
        change(line, now, mode=Mode.FULL, expected=1)
    assert PolicyVersion.objects.count() == 2
    assert active_policy(line).mode == Mode.SHADOW


def test_a_version_that_is_still_to_come_is_stale_too(line: Line, now: datetime) -> None:
    with pytest.raises(StalePolicy):
        change(line, now, mode=Mode.FULL, expected=2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reason": " \n"}, "A change needs a reason"),
        ({"thresholds": {"crack": 0.5}}, "There is no class 'crack'; the line has ok, scratch, dent"),
        ({"fail_safe": "ok"}, "must not pass as 'ok'"),
    ],
)
def test_a_refused_change_leaves_the_policy_in_force(line: Line, now: datetime, values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPolicy, match=words):
        change(line, now, **values)
    assert active_policy(line).number == 1


def test_another_line_is_not_touched(line: Line, dial: Dial, now: datetime) -> None:
    from_other = Line.objects.create(slug="other", name="Other", question="?", created_at=now)
    PolicyVersion.objects.create(line=from_other, number=1, mode="full", reason="r", created_at=now)
    dial(Mode.ASSIST)
    assert active_policy(from_other).mode == Mode.FULL


def test_a_rollback_restores_the_values_of_the_version_before_as_a_new_version(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.8}, audit_rate=0.2, overlap=3, due_seconds=60, fail_safe="dent")
    dial(Mode.FULL, thresholds={}, audit_rate=0.0, overlap=1, due_seconds=0, fail_safe="hold")
    back = roll_back(line, expected=3, by=None, reason="escapes", now=now)
    second = PolicyVersion.objects.get(line=line, number=2)
    assert (back.number, back.restores, draft_of(back)) == (4, second, draft_of(second))


def test_a_rollback_of_a_rollback_goes_further_back(line: Line, dial: Dial, now: datetime) -> None:
    for mode in (Mode.SHADOW, Mode.ASSIST, Mode.FULL):
        dial(mode)
    modes = []
    for number in (4, 5, 6):
        modes.append(roll_back(line, expected=number, by=None, reason="back", now=now).mode)
    assert modes == [Mode.ASSIST, Mode.SHADOW, Mode.HUMAN_ONLY]
    with pytest.raises(NothingToRollBack, match="Version 1 is the first"):
        roll_back(line, expected=7, by=None, reason="back", now=now)


def test_a_rollback_of_a_change_after_a_rollback_returns_to_what_the_rollback_restored(
    line: Line, dial: Dial, now: datetime
) -> None:
    dial(Mode.SHADOW)
    dial(Mode.FULL)
    roll_back(line, expected=3, by=None, reason="back", now=now)
    dial(Mode.PARTIAL)
    back = roll_back(line, expected=5, by=None, reason="back", now=now)
    assert (back.mode, back.restores.number) == (Mode.SHADOW, 2)
    assert roll_back(line, expected=6, by=None, reason="further", now=now).mode == Mode.HUMAN_ONLY


def test_the_first_version_has_nothing_before_it(line: Line, now: datetime) -> None:
    with pytest.raises(NothingToRollBack):
        roll_back(line, expected=1, by=None, reason="back", now=now)


def test_a_rollback_needs_the_present_version_and_a_reason(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.SHADOW)
    dial(Mode.ASSIST)
    with pytest.raises(StalePolicy):
        roll_back(line, expected=2, by=None, reason="back", now=now)
    with pytest.raises(InvalidPolicy):
        roll_back(line, expected=3, by=None, reason="", now=now)
    assert active_policy(line).number == 3


def test_the_red_switch_lowers_the_mode_and_keeps_everything_else(line: Line, dial: Dial, max_: User, now: datetime) -> None:
    dial(Mode.FULL, thresholds={"ok": 0.9}, audit_rate=0.3, overlap=2, due_seconds=90, fail_safe="scratch")
    before = draft_of(active_policy(line))
    stopped = stop_automation(line, by=max_, reason="smoke", now=now)
    assert draft_of(stopped) == replace(before, mode=Mode.HUMAN_ONLY)
    assert (stopped.created_by, stopped.reason) == (max_, "smoke")


def test_the_red_switch_twice_is_one_change(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL)
    first = stop_automation(line, by=None, reason="stop", now=now)
    assert stop_automation(line, by=None, reason="stop again", now=now) == first


def test_the_red_switch_is_not_too_late_for_somebody_elses_change(
    line: Line, dial: Dial, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dial moves between the switch's look and its leap."""
    looks = [dial(Mode.PARTIAL), dial(Mode.FULL)]
    monkeypatch.setattr("policies.changes.active_policy", lambda line: looks.pop(0))
    assert stop_automation(line, by=None, reason="stop", now=now).number == 4
    assert active_policy(line).mode == Mode.HUMAN_ONLY
