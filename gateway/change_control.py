"""Every move of a policy change with its event, in one transaction: pages, command and scheduler call these functions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from gateway.events import actor_of, event
from policies import promises, requests
from policies.changes import Draft, stop_automation
from policies.locks import hold_line
from policies.models import Certification, ChangeRequest, Limit, Line, PolicyVersion, RequestState

CLOCK = "system:clock"


@transaction.atomic
def ask(
    line: Line,
    draft: Draft,
    *,
    expected: int,
    by: User | None,
    reason: str,
    now: datetime,
    certification: Certification | None = None,
    evidence: dict[str, Any] | None = None,
    apply_at: datetime | None = None,
    expires_at: datetime | None = None,
    actor: str = "system",
) -> ChangeRequest:
    """Ask for a change; it is in force at once where nobody has to agree and no time is set. See `policies.requests`."""
    made = requests.request_change(
        line,
        draft,
        expected=expected,
        by=by,
        reason=reason,
        now=now,
        certification=certification,
        evidence=evidence,
        apply_at=apply_at,
        expires_at=expires_at,
    )
    return _asked(made, actor_of(by, actor), now)


@transaction.atomic
def ask_back(line: Line, *, expected: int, by: User | None, reason: str, now: datetime) -> ChangeRequest:
    """Ask for one step back; it needs approval where that automates more."""
    return _asked(requests.request_roll_back(line, expected=expected, by=by, reason=reason, now=now), actor_of(by), now)


@transaction.atomic
def approve(request: ChangeRequest, *, by: User, comment: str = "", now: datetime) -> ChangeRequest:
    """Agree to somebody else's request."""
    moved = requests.approve(request, by=by, comment=comment, now=now)
    # An approval that came too late is one all the same; what became of the request is told after it.
    reached = RequestState.OPEN if moved.state == RequestState.OPEN else RequestState.APPROVED
    _tell(moved, "approved", actor_of(by), now, to_state=reached, reason=comment)
    return _came_of_it(moved, actor_of(by), now)


@transaction.atomic
def reject(request: ChangeRequest, *, by: User, note: str, now: datetime) -> ChangeRequest:
    """Refuse a request, with a reason."""
    before = request.state
    moved = requests.reject(request, by=by, note=note, now=now)
    return _tell(moved, "rejected", actor_of(by), now, from_state=before, reason=note.strip())


@transaction.atomic
def withdraw(request: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    """Take one's own request back."""
    before = request.state
    return _tell(requests.withdraw(request, by=by, now=now), "withdrawn", actor_of(by), now, from_state=before)


@transaction.atomic
def renew(
    request: ChangeRequest,
    *,
    by: User,
    now: datetime,
    certification: Certification | None = None,
    evidence: dict[str, Any] | None = None,
) -> ChangeRequest:
    """Ask for the same values again, against the present policy."""
    made = requests.renew(request, by=by, now=now, certification=certification, evidence=evidence)
    return _asked(made, actor_of(by), now)


def apply_due(*, now: datetime) -> list[ChangeRequest]:
    """Apply what is approved and whose time has come, and end what expired or was overtaken. The scheduler calls this."""
    # One after the other: the first that is applied overtakes the others of its line.
    return [moved for request in requests.due(now=now) if (moved := _tick(request, now)) is not None]


@transaction.atomic
def stop(line: Line, *, by: User | None, reason: str, now: datetime) -> PolicyVersion:
    """The red switch. It asks nobody."""
    policy = stop_automation(line, by=by, reason=reason, now=now)
    if policy.created_at == now:
        tell_change(policy, actor=actor_of(by), now=now)
    return policy


@transaction.atomic
def state_limits(
    line: Line, limits: promises.Promise, *, delta: float | None = None, by: User | None, now: datetime, reason: str = ""
) -> list[Limit]:
    """Replace what the line promises. No approval is needed: a promise alone decides nothing."""
    hold_line(line)
    before = _stated(line)
    made = promises.state_limits(line, limits, delta=delta)
    data = {"from": before, "to": _stated(line)}
    event("limits.stated", line=line, actor=actor_of(by), now=now, reason=reason, data=data).save(force_insert=True)
    return made


def tell_change(policy: PolicyVersion, *, actor: str, now: datetime, request: ChangeRequest | None = None) -> None:
    """Write the event of a version that has just come into force, in the caller's transaction."""
    before = PolicyVersion.objects.get(line_id=policy.line_id, number=policy.number - 1)
    event(
        "policy.changed",
        line=policy.line,
        actor=actor,
        now=now,
        from_state=before.mode,
        to_state=policy.mode,
        reason=policy.reason,
        data={"from": before.number, "to": policy.number} | ({"request": request.pk} if request else {}),
    ).save(force_insert=True)


def _stated(line: Line) -> dict[str, Any]:
    limits = Limit.objects.filter(line=line).select_related("label_class")
    return {"delta": line.delta, "limits": {f"{limit.label_class.key}.{limit.form}": limit.epsilon for limit in limits}}


@transaction.atomic
def _tick(request: ChangeRequest, now: datetime) -> ChangeRequest | None:
    before = request.state
    moved = requests.tick(request, now=now)
    if moved is None:
        return None
    if moved.state == RequestState.EXPIRED:
        return _tell(moved, "expired", CLOCK, now, from_state=before)
    return _came_of_it(moved, CLOCK, now, from_state=before)


def _asked(made: ChangeRequest, actor: str, now: datetime) -> ChangeRequest:
    planned = RequestState.APPROVED if made.state == RequestState.APPROVED else RequestState.OPEN
    _tell(made, "asked", actor, now, from_state="", to_state=planned, reason=made.reason)
    return _came_of_it(made, actor, now, from_state=planned)


def _came_of_it(request: ChangeRequest, actor: str, now: datetime, from_state: str = RequestState.APPROVED) -> ChangeRequest:
    """Tell of a request that has come into force or was found overtaken; nothing of one that waits."""
    if request.state == RequestState.APPLIED and request.result is not None:
        _tell(request, "applied", actor, now, from_state=from_state)
        tell_change(request.result, actor=actor, now=now, request=request)
    elif request.state == RequestState.STALE:
        _tell(request, "stale", actor, now, from_state=from_state, reason=request.note)
    return request


def _tell(
    request: ChangeRequest,
    verb: str,
    actor: str,
    now: datetime,
    *,
    from_state: str = RequestState.OPEN,
    to_state: str | None = None,
    reason: str = "",
) -> ChangeRequest:
    event(
        f"request.{verb}",
        line=request.line,
        actor=actor,
        now=now,
        from_state=str(from_state),
        to_state=str(to_state or request.state),
        reason=reason,
        data={"request": request.pk},
    ).save(force_insert=True)
    return request
