"""A change that is asked for: who may move it where, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from policies.changes import Draft, active_policy, change_policy, draft_of, stop_automation
from policies.errors import InvalidPolicy, NotYours, PolicyError, RequestMoved, StalePolicy
from policies.models import Approval, ChangeRequest, Line, PolicyVersion
from policies.modes import Mode
from policies.requests import (
    approve,
    draft_from_json,
    draft_json,
    due,
    reject,
    renew,
    request_change,
    request_roll_back,
    tick,
    withdraw,
)

HOUR = timedelta(hours=1)
PARTIAL = Draft(Mode.PARTIAL, {"ok": 0.9}, audit_rate=0.1)
Ask = Callable[..., ChangeRequest]


@pytest.fixture
def strict(line: Line) -> Line:
    """The line where one other person must agree."""
    Line.objects.filter(pk=line.pk).update(approvals=1)
    line.refresh_from_db()
    return line


@pytest.fixture
def ask(line: Line, ines: User, now: datetime) -> Ask:
    """Ines asks for partial: `ask(expires_at=...)`."""

    def asked(draft: Draft = PARTIAL, **values: Any) -> ChangeRequest:
        arguments = {"expected": active_policy(line).number, "by": ines, "reason": "The clear cases", "now": now} | values
        return request_change(line, draft, **arguments)

    return asked


def ticked(now: datetime) -> list[ChangeRequest]:
    """What the scheduler does."""
    return [moved for request in due(now=now) if (moved := tick(request, now=now)) is not None]


def test_where_nobody_has_to_agree_it_is_in_force_at_once(line: Line, ask: Ask, ines: User) -> None:
    request = ask(evidence={"items": 3})
    policy = active_policy(line)
    assert (request.state, request.result, request.approvals_needed) == ("applied", policy, 0)
    assert (policy.number, policy.mode, policy.thresholds, policy.created_by) == (2, "partial", {"ok": 0.9}, ines)
    assert ChangeRequest.objects.get().evidence == {"items": 3}


def test_where_somebody_has_to_agree_it_waits(strict: Line, ask: Ask, noor: User, now: datetime) -> None:
    request = ask()
    assert (request.state, active_policy(strict).number) == ("open", 1)
    moved = approve(request, by=noor, comment="Looks right", now=now)
    assert (moved.state, active_policy(strict).number) == ("applied", 2)
    assert Approval.objects.get().comment == "Looks right"


def test_two_approvals_are_two_people(strict: Line, ask: Ask, noor: User, max_: User, now: datetime) -> None:
    Line.objects.update(approvals=2)
    strict.refresh_from_db()
    request = request_change(strict, PARTIAL, expected=1, by=None, reason="A file", now=now)
    assert approve(request, by=noor, now=now).state == "open"
    with pytest.raises(RequestMoved, match="already"):
        approve(request, by=noor, now=now)
    assert approve(request, by=max_, now=now).state == "applied"


def test_nobody_approves_their_own(strict: Line, ask: Ask, ines: User, now: datetime) -> None:
    with pytest.raises(NotYours):
        approve(ask(), by=ines, now=now)
    assert active_policy(strict).number == 1


def test_lowering_waits_for_nobody(strict: Line, ask: Ask, now: datetime) -> None:
    change_policy(strict, PARTIAL, expected=1, by=None, reason="test", now=now)
    request = ask(replace(PARTIAL, mode=Mode.ASSIST))
    assert (request.state, active_policy(strict).mode) == ("applied", "assist")


def test_raising_the_number_later_does_not_reach_back(strict: Line, ask: Ask, noor: User, now: datetime) -> None:
    request = ask()
    Line.objects.update(approvals=5)
    assert approve(request, by=noor, now=now).state == "applied"


MOVES: dict[str, Callable[..., ChangeRequest]] = {
    "approve": lambda request, people, now: approve(request, by=people["noor"], now=now),
    "reject": lambda request, people, now: reject(request, by=people["noor"], note="Too early", now=now),
    "withdraw": lambda request, people, now: withdraw(request, by=people["ines"], now=now),
    "renew": lambda request, people, now: renew(request, by=people["noor"], now=now),
}
# From each state, what each move leads to; None is refused and leaves everything as it was.
TABLE: dict[str, dict[str, str | None]] = {
    "open": {"approve": "applied", "reject": "rejected", "withdraw": "withdrawn", "renew": None},
    "approved": {"approve": None, "reject": "rejected", "withdraw": "withdrawn", "renew": None},
    "applied": {"approve": None, "reject": None, "withdraw": None, "renew": None},
    "rejected": {"approve": None, "reject": None, "withdraw": None, "renew": None},
    "withdrawn": {"approve": None, "reject": None, "withdraw": None, "renew": None},
    "expired": {"approve": None, "reject": None, "withdraw": None, "renew": "open"},
    "stale": {"approve": None, "reject": None, "withdraw": None, "renew": "open"},
}


def brought_to(state: str, line: Line, ask: Ask, noor: User, ines: User, now: datetime) -> ChangeRequest:
    """Bring a request into the state by the moves that lead there."""
    if state == "approved":
        return approve(ask(apply_at=now + HOUR), by=noor, now=now)
    if state == "expired":
        ask(expires_at=now + HOUR)
        return ticked(now + HOUR)[0]
    request = ask()
    if state == "stale":
        change_policy(line, replace(draft_of(active_policy(line)), audit_rate=0.5), expected=1, by=None, reason="x", now=now)
        return ticked(now)[0]
    move = {"applied": "approve", "rejected": "reject", "withdrawn": "withdraw"}.get(state)
    return MOVES[move](request, {"noor": noor, "ines": ines}, now) if move else request


@pytest.mark.parametrize(("state", "move", "expected"), [(s, m, e) for s, row in TABLE.items() for m, e in row.items()])
def test_every_move_from_every_state(
    strict: Line, ask: Ask, ines: User, noor: User, now: datetime, state: str, move: str, expected: str | None
) -> None:
    request = brought_to(state, strict, ask, noor, ines, now)
    assert request.state == state
    stood = active_policy(strict).number
    if expected is None:
        with pytest.raises(RequestMoved):
            MOVES[move](request, {"ines": ines, "noor": noor}, now)
        assert (ChangeRequest.objects.get().state, active_policy(strict).number) == (state, stood)
    else:
        assert MOVES[move](request, {"ines": ines, "noor": noor}, now).state == expected


def test_only_who_asked_withdraws(strict: Line, ask: Ask, noor: User, now: datetime) -> None:
    with pytest.raises(NotYours):
        withdraw(ask(), by=noor, now=now)


def test_a_rejection_says_why(strict: Line, ask: Ask, noor: User, now: datetime) -> None:
    request = ask()
    with pytest.raises(InvalidPolicy):
        reject(request, by=noor, note=" ", now=now)
    assert reject(request, by=noor, note="Too early", now=now).note == "noor: Too early"


def test_a_plan_waits_for_its_time(line: Line, ask: Ask, now: datetime) -> None:
    assert ask(apply_at=now + HOUR).state == "approved"
    assert ticked(now + HOUR - timedelta(seconds=1)) == []
    assert [moved.state for moved in ticked(now + HOUR)] == ["applied"]
    policy = active_policy(line)
    assert (policy.number, policy.created_at) == (2, now + HOUR)
    assert ticked(now + HOUR) == []


def test_what_is_late_expires_and_is_never_applied(strict: Line, ask: Ask, noor: User, now: datetime) -> None:
    request = ask(expires_at=now + HOUR)
    with pytest.raises(RequestMoved, match="expired"):
        approve(request, by=noor, now=now + HOUR)
    assert [moved.state for moved in ticked(now + HOUR)] == ["expired"]
    assert active_policy(strict).number == 1


def test_an_approved_plan_that_the_scheduler_met_too_late_expires(line: Line, ask: Ask, now: datetime) -> None:
    ask(apply_at=now + HOUR, expires_at=now + 2 * HOUR)
    assert [moved.state for moved in ticked(now + 2 * HOUR)] == ["expired"]
    assert active_policy(line).number == 1


@pytest.mark.parametrize(
    "times",
    [
        {"apply_at": -HOUR},
        {"expires_at": timedelta(0)},
        {"apply_at": 2 * HOUR, "expires_at": 2 * HOUR},
        {"apply_at": 2 * HOUR, "expires_at": HOUR},
    ],
)
def test_times_that_contradict_each_other_are_refused(line: Line, ask: Ask, now: datetime, times: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy):
        ask(**{name: now + after for name, after in times.items()})
    assert not ChangeRequest.objects.exists()


def test_the_second_of_two_is_overtaken_and_renewed_against_the_present(
    strict: Line, ask: Ask, ines: User, noor: User, now: datetime
) -> None:
    first, second = ask(), ask(replace(PARTIAL, audit_rate=0.3))
    approve(first, by=noor, now=now)
    assert [(moved.pk, moved.state) for moved in ticked(now)] == [(second.pk, "stale")]

    fresh = renew(second, by=ines, now=now)
    assert (fresh.state, fresh.base.number, fresh.renews, fresh.draft) == ("applied", 2, second, second.draft)
    # More is looked at than before, so this time it waits for nobody.
    assert active_policy(strict).audit_rate == 0.3
    with pytest.raises(RequestMoved, match="renewed already"):
        renew(second, by=ines, now=now)


def test_approvals_start_from_nothing_again(strict: Line, ask: Ask, ines: User, noor: User, max_: User, now: datetime) -> None:
    Line.objects.update(approvals=2)
    strict.refresh_from_db()
    request = ask()
    approve(request, by=noor, now=now)
    change_policy(strict, replace(draft_of(active_policy(strict)), audit_rate=0.5), expected=1, by=None, reason="x", now=now)
    ticked(now)
    request.refresh_from_db()
    fresh = renew(request, by=noor, now=now)
    assert (fresh.state, fresh.given.count(), fresh.requested_by) == ("open", 0, noor)
    # Noor has asked now, and no longer agrees with somebody else.
    with pytest.raises(NotYours):
        approve(fresh, by=noor, now=now)


def test_a_renewed_plan_keeps_the_times_that_lie_ahead(strict: Line, ask: Ask, ines: User, now: datetime) -> None:
    request = ask(apply_at=now + 2 * HOUR, expires_at=now + 3 * HOUR)
    change_policy(strict, replace(draft_of(active_policy(strict)), audit_rate=0.5), expected=1, by=None, reason="x", now=now)
    ticked(now)
    request.refresh_from_db()
    fresh = renew(request, by=ines, evidence={"items": 9}, now=now + HOUR)
    assert (fresh.apply_at, fresh.expires_at) == (now + 2 * HOUR, now + 3 * HOUR)
    assert (fresh.evidence, fresh.certification) == ({"items": 9}, None)


def test_nothing_is_renewed_that_is_in_force(strict: Line, ask: Ask, ines: User, now: datetime) -> None:
    request = ask()
    change_policy(strict, PARTIAL, expected=1, by=None, reason="Somebody else did the same", now=now)
    ticked(now)
    request.refresh_from_db()
    with pytest.raises(RequestMoved, match="says the same"):
        renew(request, by=ines, now=now)


def test_an_overtaken_request_is_found_when_it_is_approved(strict: Line, ask: Ask, noor: User, now: datetime) -> None:
    request = ask()
    stop_automation(strict, by=None, reason="Red", now=now)  # it is off already: nothing changes
    assert active_policy(strict).number == 1
    change_policy(strict, replace(draft_of(active_policy(strict)), audit_rate=0.5), expected=1, by=None, reason="x", now=now)
    moved = approve(request, by=noor, now=now)
    assert (moved.state, active_policy(strict).number) == ("stale", 2)
    assert "no longer in force" in moved.note


@pytest.mark.parametrize("approvals", [0, 1])
def test_a_draft_for_another_version_is_refused(line: Line, ask: Ask, approvals: int) -> None:
    line.approvals = approvals
    with pytest.raises(StalePolicy):
        ask(expected=7)
    assert not ChangeRequest.objects.exists()


@pytest.mark.parametrize(("draft", "reason"), [(PARTIAL, " "), (Draft(Mode.PARTIAL, {"crack": 0.5}), "A crack")])
def test_what_is_not_valid_is_never_a_request(line: Line, ask: Ask, draft: Draft, reason: str) -> None:
    with pytest.raises(InvalidPolicy):
        ask(draft, reason=reason)
    assert not ChangeRequest.objects.exists()


def test_a_step_back_down_is_in_force_at_once_and_a_step_back_up_waits(
    strict: Line, dial: Callable[..., PolicyVersion], ines: User, noor: User, now: datetime
) -> None:
    dial(Mode.FULL)
    down = request_roll_back(strict, expected=2, by=ines, reason="Too much", now=now)
    assert (down.state, active_policy(strict).mode, active_policy(strict).restores.number) == ("applied", "human_only", 1)
    dial(Mode.PARTIAL)
    dial(Mode.HUMAN_ONLY)
    up = request_roll_back(strict, expected=5, by=ines, reason="It was fine", now=now)
    assert (up.state, active_policy(strict).number) == ("open", 5)
    moved = approve(up, by=noor, now=now)
    assert (moved.result.mode, moved.result.restores.number) == ("partial", 4)


def test_a_draft_survives_its_json() -> None:
    draft = Draft(Mode.PARTIAL, {"ok": 0.1 + 0.2}, 0.05, 2, 90, "scratch")
    assert draft_from_json(draft_json(draft)) == draft


def test_every_refusal_has_a_meaning_for_http() -> None:
    assert {error.status for error in (InvalidPolicy, StalePolicy, NotYours, RequestMoved)} == {422, 409, 403}
    assert issubclass(RequestMoved, PolicyError)
