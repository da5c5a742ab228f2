"""Every move of a change request leaves its event, in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway import change_control as control
from gateway.models import Event
from policies import requests
from policies.changes import Draft, active_policy, change_policy, draft_of
from policies.errors import PolicyError, StalePolicy
from policies.models import ChangeRequest, Line, PolicyVersion
from policies.modes import Mode

HOUR = timedelta(hours=1)
PARTIAL = Draft(Mode.PARTIAL, {"ok": 0.9}, audit_rate=0.1)


def ask(line: Line, by: User | None, now: datetime, approvals: int = 0, **values: Any) -> ChangeRequest:
    Line.objects.update(approvals=approvals)
    line.refresh_from_db()
    arguments = {"expected": active_policy(line).number, "reason": "The clear cases"} | values
    return control.ask(line, PARTIAL, by=by, now=now, **arguments)


def told() -> list[tuple[str, str, str, str]]:
    return list(Event.objects.values_list("kind", "from_state", "to_state", "actor"))


def test_a_change_at_once(line: Line, ines: User, now: datetime) -> None:
    request = ask(line, ines, now)
    assert told() == [
        ("request.asked", "", "open", "user:ines"),
        ("request.applied", "open", "applied", "user:ines"),
        ("policy.changed", "human_only", "partial", "user:ines"),
    ]
    changed = Event.objects.get(kind="policy.changed")
    assert (changed.reason, changed.data) == ("The clear cases", {"from": 1, "to": 2, "request": request.pk})
    assert {event.at for event in Event.objects.all()} == {now}


def test_a_change_that_somebody_approves(line: Line, ines: User, noor: User, max_: User, now: datetime) -> None:
    request = ask(line, ines, now, approvals=2)
    control.approve(request, by=noor, comment="Fine", now=now)
    control.approve(request, by=max_, now=now)
    assert told() == [
        ("request.asked", "", "open", "user:ines"),
        ("request.approved", "open", "open", "user:noor"),
        ("request.approved", "open", "approved", "user:max"),
        ("request.applied", "approved", "applied", "user:max"),
        ("policy.changed", "human_only", "partial", "user:max"),
    ]
    assert Event.objects.filter(kind="request.approved").first().reason == "Fine"


def test_a_plan_is_applied_by_the_clock(line: Line, ines: User, now: datetime) -> None:
    ask(line, ines, now, apply_at=now + HOUR)
    assert control.apply_due(now=now) == []
    assert [moved.state for moved in control.apply_due(now=now + HOUR)] == ["applied"]
    assert told() == [
        ("request.asked", "", "approved", "user:ines"),
        ("request.applied", "approved", "applied", "system:clock"),
        ("policy.changed", "human_only", "partial", "system:clock"),
    ]


def test_of_two_plans_the_first_overtakes_the_second(line: Line, ines: User, now: datetime) -> None:
    later = ask(line, ines, now, apply_at=now + 2 * HOUR)
    sooner = ask(line, ines, now, apply_at=now + HOUR)
    moved = control.apply_due(now=now + 3 * HOUR)
    assert [(one.pk, one.state) for one in moved] == [(sooner.pk, "applied"), (later.pk, "stale")]
    assert told()[-1] == ("request.stale", "approved", "stale", "system:clock")


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ("reject", ("request.rejected", "open", "rejected", "user:noor")),
        ("withdraw", ("request.withdrawn", "open", "withdrawn", "user:ines")),
        ("expire", ("request.expired", "open", "expired", "system:clock")),
    ],
)
def test_the_other_ends(
    line: Line, ines: User, noor: User, now: datetime, move: str, expected: tuple[str, str, str, str]
) -> None:
    request = ask(line, ines, now, approvals=1, expires_at=now + HOUR)
    if move == "reject":
        control.reject(request, by=noor, note="Too early", now=now)
    elif move == "withdraw":
        control.withdraw(request, by=ines, now=now)
    else:
        control.apply_due(now=now + HOUR)
    assert told()[1:] == [expected]
    assert Event.objects.last().data == {"request": request.pk}


def test_an_overtaken_request_says_so_and_a_renewed_one_is_asked_for(line: Line, ines: User, noor: User, now: datetime) -> None:
    request = ask(line, ines, now, approvals=1)
    change_policy(line, replace(draft_of(active_policy(line)), audit_rate=0.5), expected=1, by=None, reason="x", now=now)
    control.approve(request, by=noor, now=now)
    assert [kind for kind, *_ in told()] == ["request.asked", "request.approved", "request.stale"]
    request.refresh_from_db()
    control.renew(request, by=ines, now=now)
    assert told()[-1] == ("request.asked", "", "open", "user:ines")


def test_a_step_back_and_the_red_switch(line: Line, max_: User, now: datetime) -> None:
    ask(line, max_, now)
    control.ask_back(line, expected=2, by=max_, reason="Back", now=now)
    assert told()[-1] == ("policy.changed", "partial", "human_only", "user:max")
    before = len(told())
    control.stop(line, by=max_, reason="Red", now=now + HOUR)
    assert len(told()) == before, "it is off already"
    ask(line, max_, now + HOUR)
    control.stop(line, by=max_, reason="Red", now=now + 2 * HOUR)
    assert told()[-1] == ("policy.changed", "partial", "human_only", "user:max")


def test_a_refused_move_leaves_no_event(line: Line, ines: User, now: datetime) -> None:
    request = ask(line, ines, now, approvals=1)
    with pytest.raises(PolicyError):
        control.approve(request, by=ines, now=now)
    with pytest.raises(StalePolicy):
        ask(line, ines, now, expected=9)
    assert len(told()) == 1


def test_without_its_event_a_move_is_taken_back(line: Line, ines: User, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise ConnectionError("the disk is full")

    monkeypatch.setattr(control, "event", fails)
    with pytest.raises(ConnectionError):
        ask(line, ines, now)
    assert (PolicyVersion.objects.count(), ChangeRequest.objects.count()) == (1, 0)


def test_one_request_that_fails_does_not_hold_up_the_others(line: Line, ines: User, now: datetime) -> None:
    """What somebody moved between the look and the move is left to them."""
    request = ask(line, ines, now, apply_at=now + HOUR)
    found = list(requests.due(now=now + HOUR))
    control.withdraw(request, by=ines, now=now)
    assert [requests.tick(one, now=now + HOUR) for one in found] == [None]
    assert active_policy(line).number == 1


def test_limits_are_stated_with_an_event(line: Line, max_: User, now: datetime) -> None:
    control.state_limits(line, {("ok", "escape"): 0.005}, delta=0.1, by=max_, now=now)
    event = Event.objects.get()
    assert (event.kind, event.actor) == ("limits.stated", "user:max")
    assert event.data == {
        "from": {"delta": 0.05, "limits": {}},
        "to": {"delta": 0.1, "limits": {"ok.escape": 0.005}},
    }


def test_the_clock_asks_once_where_nothing_is_due(
    line: Line, ines: User, now: datetime, django_assert_num_queries: Any
) -> None:
    ask(line, ines, now, approvals=1)
    with django_assert_num_queries(1):
        control.apply_due(now=now)
