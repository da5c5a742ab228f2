"""Change control: asking for a policy change, agreeing to it, applying it at its time. The one home of these moves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from policies.automation import lowers
from policies.changes import Draft, active_policy, change_policy, check_against, draft_of, version_before
from policies.errors import InvalidPolicy, NotYours, PolicyError, RequestMoved, StalePolicy
from policies.models import PENDING, Approval, Certification, ChangeRequest, Line, PolicyVersion, RequestState
from policies.modes import Mode

OVERTAKEN = "The policy it was made against is no longer in force."


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
    restores: PolicyVersion | None = None,
) -> ChangeRequest:
    """Ask for `draft` in place of version `expected`, and apply it at once where nobody has to agree and no time is set.

    Lowering automation needs no approval. Raises InvalidPolicy, or StalePolicy where `expected` is no longer in force.
    """
    _check(line, draft, reason, now=now, apply_at=apply_at, expires_at=expires_at)
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
            restores=restores,
        )
        return _go_on(request, now=now)


def request_roll_back(line: Line, *, expected: int, by: User | None, reason: str, now: datetime) -> ChangeRequest:
    """Ask for what was in force before version `expected`; it needs approval where that automates more."""
    earlier = version_before(line, expected)
    # What came before may itself have been a rollback; its values are those of the version it restored.
    restores = earlier.restores or earlier
    return request_change(line, draft_of(earlier), expected=expected, by=by, reason=reason, now=now, restores=restores)


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


@transaction.atomic
def renew(
    request: ChangeRequest,
    *,
    by: User,
    now: datetime,
    certification: Certification | None = None,
    evidence: dict[str, Any] | None = None,
) -> ChangeRequest:
    """Ask for the same values again, against the policy that is in force now; approvals start from nothing.

    What was planned and still lies ahead stays planned. `evidence`, where it was taken anew, replaces the old one together with
    `certification`.
    """
    # Locked, so that of two who renew it at once one learns of the other.
    old = ChangeRequest.objects.select_for_update(of=("self",)).select_related("line", "certification").get(pk=request.pk)
    if old.state not in {RequestState.STALE, RequestState.EXPIRED}:
        raise RequestMoved("Only a request that was overtaken or has expired is renewed.")
    if ChangeRequest.objects.filter(renews=old).exists():
        raise RequestMoved("It was renewed already.")
    present, draft = active_policy(old.line), draft_from_json(old.draft)
    if draft == draft_of(present):
        raise RequestMoved(f"Version {present.number}, which is in force, says the same already.")
    return request_change(
        old.line,
        draft,
        expected=present.number,
        by=by,
        reason=old.reason,
        certification=old.certification if evidence is None else certification,
        evidence=old.evidence if evidence is None else evidence,
        apply_at=_ahead(old.apply_at, now),
        expires_at=_ahead(old.expires_at, now),
        renews=old,
        restores=old.restores,
        now=now,
    )


def due(*, now: datetime) -> QuerySet[ChangeRequest]:
    """Return the pending requests that `tick` moves now: their time has come, or has passed, or the present has changed."""
    timely = Q(state=RequestState.APPROVED) & (Q(apply_at=None) | Q(apply_at__lte=now))
    overtaken = Q(base__superseded_at__isnull=False)
    found = ChangeRequest.objects.filter(timely | overtaken | Q(expires_at__lte=now), state__in=PENDING)
    # In the order in which they were to come into force, then in which they were asked for.
    return found.select_related("line", "base").order_by(F("apply_at").asc(nulls_first=True), "id")


def tick(request: ChangeRequest, *, now: datetime) -> ChangeRequest | None:
    """Move one request as its times and the present policy ask; None where there is nothing to do. The scheduler calls this."""
    try:
        if request.expires_at is not None and request.expires_at <= now:
            return _end(request, RequestState.EXPIRED, note="", now=now)
        if PolicyVersion.objects.filter(pk=request.base_id, superseded_at__isnull=False).exists():
            return _end(request, RequestState.STALE, note=OVERTAKEN, now=now)
        if request.state == RequestState.APPROVED and (request.apply_at is None or request.apply_at <= now):
            return _apply(request, now=now)
    except RequestMoved:
        pass  # somebody moved it in this moment
    return None


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return a draft as JSON keeps it."""
    return asdict(draft) | {"mode": draft.mode.value, "thresholds": dict(draft.thresholds)}


def draft_from_json(data: dict[str, Any]) -> Draft:
    """Return the draft that `draft_json` wrote."""
    return Draft(**(data | {"mode": Mode(data["mode"])}))


def _check(
    line: Line, draft: Draft, reason: str, *, now: datetime, apply_at: datetime | None, expires_at: datetime | None
) -> None:
    if not reason.strip():
        raise InvalidPolicy("A change needs a reason.")
    if (apply_at is not None and apply_at < now) or (expires_at is not None and expires_at <= (apply_at or now)):
        raise InvalidPolicy("A change is planned for the future and expires after its time.")
    check_against(line, draft)


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
                restores=request.restores,
            )
    except PolicyError as error:
        return _end(request, RequestState.STALE, note=error.detail, now=now)
    return _move(request, (RequestState.APPROVED,), state=RequestState.APPLIED, result=version, ended_at=now)


def _end(request: ChangeRequest, state: RequestState, *, note: str, now: datetime) -> ChangeRequest:
    return _move(request, PENDING, state=state, note=note[:500], ended_at=now)


def _pending(request: ChangeRequest, state: RequestState, *, now: datetime) -> ChangeRequest:
    found = ChangeRequest.objects.select_for_update(of=("self",)).select_related("line", "base").get(pk=request.pk)
    if found.state != state:
        raise RequestMoved(f"The request is no longer open: {found.get_state_display().lower()}.")
    if found.expires_at is not None and found.expires_at <= now:
        raise RequestMoved("The request has expired.")
    return found


def _ahead(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and at > now else None


def _move(request: ChangeRequest, expected: tuple[RequestState, ...], **columns: Any) -> ChangeRequest:
    """Compare-and-set on the request's state."""
    if ChangeRequest.objects.filter(pk=request.pk, state__in=expected).update(**columns) != 1:
        raise RequestMoved("Somebody else has moved this request.")
    for name, value in columns.items():
        setattr(request, name, value)
    return request
