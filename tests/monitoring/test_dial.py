"""The dial, the red switch and the step back, as the manager's browser sends them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from monitoring.models import Conveyor
from policies.changes import active_policy
from policies.models import Line, PolicyVersion
from policies.modes import Mode

Dial = Callable[..., PolicyVersion]


def values(expected: int = 1, **changes: Any) -> dict[str, Any]:
    """What the form sends for the line's first policy, with changes; None leaves a field out."""
    form = {
        "mode": "partial",
        "reason": "The clear cases may go",
        "expected": expected,
        "audit_percent": "2.5",
        "overlap": "1",
        "due_minutes": "30",
        "fail_safe": "hold",
        "alone-ok": "on",
        "threshold-ok": "99.73",
        "threshold-scratch": "50",
    }
    return {key: value for key, value in (form | changes).items() if value is not None}


def test_the_dial_makes_the_next_version(line: Line, manager: Client, max_: User) -> None:
    response = manager.post("/lines/phones/dial/", values(window="7d"))
    assert (response.status_code, response.headers["Location"]) == (302, "/lines/phones/?window=7d")
    policy = active_policy(line)
    assert (policy.number, policy.mode, policy.created_by, policy.reason) == (2, "partial", max_, "The clear cases may go")
    # Scratch has a number and is not switched on: it stays with people.
    assert policy.thresholds == {"ok": 0.9973}
    assert (policy.audit_rate, policy.due_seconds, policy.fail_safe) == (0.025, 1800, "hold")


def test_a_stale_dial_is_refused_and_says_what_changed(line: Line, manager: Client, dial: Dial) -> None:
    dial(Mode.SHADOW, audit_rate=0.2)
    response = manager.post("/lines/phones/dial/", values(expected=1))
    assert response.status_code == 409
    assert active_policy(line).number == 2
    assert "Human only → Shadow (more automation)" in response.text
    # What was set is still there, on top of what is in force now.
    assert 'value="99.73"' in response.text
    assert '<input type="hidden" name="expected" value="2">' in response.text
    assert 'value="partial" checked' in response.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": " "}, "Say why"),
        ({"mode": "autopilot"}, "autopilot"),
        ({"threshold-ok": None}, "from how many per cent"),
        ({"threshold-ok": "101"}, "100"),
        ({"threshold-ok": "nan"}, "number"),
        ({"audit_percent": "101"}, "100"),
        ({"overlap": "0"}, "1"),
        ({"fail_safe": "ok"}, "must not pass"),
        ({"expected": "x"}, "whole number"),
    ],
)
def test_what_is_not_valid_changes_nothing(line: Line, manager: Client, changes: dict[str, Any], words: str) -> None:
    response = manager.post("/lines/phones/dial/", values(**changes))
    assert response.status_code == 422
    assert words in response.text
    assert active_policy(line).number == 1


def test_applying_what_is_in_force_makes_no_version(line: Line, manager: Client) -> None:
    manager.post("/lines/phones/dial/", values())
    response = manager.post("/lines/phones/dial/", values(expected=2), follow=True)
    assert "Nothing was changed" in response.text
    assert active_policy(line).number == 2


def test_the_form_gives_back_what_is_in_force(line: Line, manager: Client, dial: Dial) -> None:
    dial(Mode.ASSIST, thresholds={"ok": 0.29, "dent": 0.123456789}, audit_rate=0.07, due_seconds=45)
    form = manager.get("/lines/phones/").context["form"]
    sent = {field.html_name: field.value() for field in form if field.value() not in (None, False)} | {"reason": "again"}
    response = manager.post("/lines/phones/dial/", sent, follow=True)
    assert "Nothing was changed" in response.text


def test_the_red_switch_needs_neither_reason_nor_version(line: Line, manager: Client, dial: Dial, max_: User) -> None:
    dial(Mode.FULL, thresholds={"ok": 0.9})
    assert manager.post("/lines/phones/stop/").status_code == 302
    policy = active_policy(line)
    assert (policy.mode, policy.thresholds, policy.created_by) == ("human_only", {"ok": 0.9}, max_)


def test_one_step_back(line: Line, manager: Client, dial: Dial) -> None:
    dial(Mode.SHADOW)
    dial(Mode.FULL)
    assert "Back to version 2" in manager.get("/lines/phones/policies/").text
    page = manager.post("/lines/phones/policies/rollback/", {"expected": 3}, follow=True).text
    assert "Version 4 is in force: it restores version 2." in page
    assert active_policy(line).mode == "shadow"
    # And once more: from what was restored, not back and forth.
    assert "Back to version 1" in page


@pytest.mark.parametrize("expected", ["1", "7", "x", ""])
def test_a_stale_step_back_is_refused(line: Line, manager: Client, dial: Dial, expected: str) -> None:
    dial(Mode.SHADOW)
    assert manager.post("/lines/phones/policies/rollback/", {"expected": expected}).status_code == 409
    assert active_policy(line).number == 2


def test_the_history_tells_what_changed(line: Line, manager: Client, dial: Dial) -> None:
    dial(Mode.SHADOW, audit_rate=0.25)
    page = manager.get("/lines/phones/policies/").text
    assert "Human only → Shadow (more automation)" in page
    assert "Audit rate 0 % → 25 %" in page


CONVEYOR = {"rate": "2.5", "defect_percent": "20", "light_percent": "60"}


@pytest.mark.parametrize(("running", "expected"), [("1", True), ("0", False), ("", True)])
def test_the_conveyor_is_set(line: Line, manager: Client, now: datetime, running: str, expected: bool) -> None:
    Conveyor.objects.create(line=line, running=True)
    assert manager.post("/lines/phones/conveyor/", CONVEYOR | {"running": running}).status_code == 302
    found = Conveyor.objects.get()
    assert (found.running, found.rate, found.defects, found.darker) == (expected, 2.5, 0.2, 0.6)


def test_a_conveyor_that_races_is_refused(line: Line, manager: Client) -> None:
    Conveyor.objects.create(line=line)
    assert manager.post("/lines/phones/conveyor/", CONVEYOR | {"rate": "21"}).status_code == 422
    assert Conveyor.objects.get().rate == 1.0


def test_a_line_without_a_conveyor_has_none_to_set(line: Line, manager: Client) -> None:
    assert manager.post("/lines/phones/conveyor/", CONVEYOR).status_code == 404
