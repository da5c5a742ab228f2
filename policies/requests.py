"""Change control: asking for a policy change, agreeing to it, applying it at its time. The one home of these moves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from policies.automation import lowers
from policies.changes import Draft, active_policy, change_policy, check_against, draft_of
from policies.errors import InvalidPolicy, NotYours, PolicyError, RequestMoved, StalePolicy
from policies.models import PENDING, Approval, Certification, ChangeRequest, Line, PolicyVersion, RequestState
from policies.modes import Mode


def request_change(
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
    renews: ChangeRequest | None = None,
) -> ChangeRequest:
    """Ask for `draft` in place of version `expected`, and apply it at once where nobody has to agree and no time is set.

    A change that only lowers automation needs no approval. Raises InvalidPolicy, or StalePolicy where `expected` is no
    longer in force.
    """
    if not reason.strip():
        raise InvalidPolicy("A change needs a reason.")
    if (apply_at is not None and apply_at < now) or (expires_at is not None and expires_at <= (apply_at or now)):
        raise InvalidPolicy("A change is planned for the future and expires after its time.")
    check_against(line, draft)
    with transaction.atomic():
        base = active_policy(line)
        if base.number != expected:
            raise StalePolicy(f"Version {expected} is no longer in force. Look at the present policy and try again.")
        request = ChangeRequest.objects.create(
            line=line,
            base=base,
            draft=draft_json(draft),
            reason=reason.strip()[:500],
            certification=certification,
            evidence=evidence or {},
            approvals_needed=0 if lowers(draft_of(base), draft) else line.approvals,
            requested_by=by,
            created_at=now,
            apply_at=apply_at,
            expires_at=expires_at,
            renews=renews,
        )
        return _go_on(request, now=now)


@transaction.atomic
def approve(request: ChangeRequest, *, by: User, comment: str = "", now: datetime) -> ChangeRequest:
    """Agree to somebody else's request; the last approval needed applies it, or leaves it to its time."""
    request = _pending(request, RequestState.OPEN, now=now)
    if request.requested_by_id == by.pk:
        raise NotYours("A change is approved by somebody else than who asked for it.")
    try:
        with transaction.atomic():
            Approval.objects.create(request=request, by=by, comment=comment[:500], created_at=now)
    except IntegrityError:
        raise RequestMoved("You have approved this change already.") from None
    return _go_on(request, now=now)


def reject(request: ChangeRequest, *, by: User, note: str, now: datetime) -> ChangeRequest:
    """Refuse somebody's request, with a reason."""
    if not note.strip():
        raise InvalidPolicy("Say why it is rejected.")
    return _end(request, RequestState.REJECTED, note=f"{by.username}: {note.strip()}", now=now)


def withdraw(request: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    """Take one's own request back."""
    if request.requested_by_id != by.pk:
        raise NotYours("Only who asked for a change can withdraw it.")
    return _end(request, RequestState.WITHDRAWN, note="", now=now)


def renew(request: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    """Ask for the same values again, against the policy that is in force now; approvals start from nothing."""
    if request.state not in {RequestState.STALE, RequestState.EXPIRED}:
        raise RequestMoved("Only a request that was overtaken or has expired is renewed.")
    present = active_policy(request.line).number
    return request_change(
        request.line,
        draft_from_json(request.draft),
        expected=present,
        by=by,
        reason=request.reason,
        certification=request.certification,
        evidence=request.evidence,
        renews=request,
        now=now,
    )


def apply_due(*, now: datetime) -> list[ChangeRequest]:
    """Apply approved requests whose time has come and end those that have expired. The scheduler calls this."""
    pending = ChangeRequest.objects.filter(state__in=PENDING).select_related("line", "base").order_by("id")
    return [moved for request in pending if (moved := _tick(request, now)) is not None]


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return a draft as JSON keeps it."""
    return asdict(draft) | {"mode": draft.mode.value, "thresholds": dict(draft.thresholds)}


def draft_from_json(data: dict[str, Any]) -> Draft:
    """Return the draft that `draft_json` wrote."""
    return Draft(**(data | {"mode": Mode(data["mode"])}))


def _tick(request: ChangeRequest, now: datetime) -> ChangeRequest | None:
    try:
        if request.expires_at is not None and request.expires_at <= now:
            return _end(request, RequestState.EXPIRED, note="", now=now)
        if request.state == RequestState.APPROVED and (request.apply_at is None or request.apply_at <= now):
            return _apply(request, now=now)
        if PolicyVersion.objects.filter(pk=request.base_id, superseded_at=None).exists():
            return None
        return _end(request, RequestState.STALE, note="The policy it was made against is no longer in force.", now=now)
    except RequestMoved:
        return None  # somebody moved it in this moment


def _go_on(request: ChangeRequest, *, now: datetime) -> ChangeRequest:
    """Move a request on as far as its approvals and its time allow."""
    if request.given.count() < request.approvals_needed:
        return request
    _move(request, (RequestState.OPEN,), state=RequestState.APPROVED)
    return _apply(request, now=now) if request.apply_at is None or request.apply_at <= now else request


@transaction.atomic
def _apply(request: ChangeRequest, *, now: datetime) -> ChangeRequest:
    try:
        with transaction.atomic():
            version = change_policy(
                request.line,
                draft_from_json(request.draft),
                expected=request.base.number,
                by=request.requested_by,
                reason=request.reason,
                now=now,
            )
    except PolicyError as error:
        return _end(request, RequestState.STALE, note=error.detail, now=now)
    return _move(request, (RequestState.APPROVED,), state=RequestState.APPLIED, result=version, ended_at=now)


def _end(request: ChangeRequest, state: RequestState, *, note: str, now: datetime) -> ChangeRequest:
    return _move(request, PENDING, state=state, note=note[:500], ended_at=now)


def _pending(request: ChangeRequest, state: RequestState, *, now: datetime) -> ChangeRequest:
    found = ChangeRequest.objects.select_for_update().select_related("line", "base").get(pk=request.pk)
    if found.state != state or (found.expires_at is not None and found.expires_at <= now):
        raise RequestMoved(f"The request is no longer open: {found.get_state_display().lower()}.")
    return found


def _move(request: ChangeRequest, expected: tuple[RequestState, ...], **columns: Any) -> ChangeRequest:
    """Compare-and-set on the request's state."""
    if ChangeRequest.objects.filter(pk=request.pk, state__in=expected).update(**columns) != 1:
        raise RequestMoved("Somebody else has moved this request.")
    for name, value in columns.items():
        setattr(request, name, value)
    return request
