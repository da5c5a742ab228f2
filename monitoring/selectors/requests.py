"""Change requests as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Prefetch, Q, QuerySet

from gateway.compiled import Select, number
from monitoring.differences import changes_in_words
from monitoring.selectors.policies import names_of
from policies.changes import draft_of
from policies.models import PENDING, Approval, ChangeRequest, LabelClass, Line, PolicyVersion, RequestState
from policies.requests import draft_from_json

SHOWN = 100

_pending = Select(lambda: ChangeRequest.objects.filter(line=number("line"), state__in=PENDING).order_by("id"))


@dataclass(frozen=True, slots=True)
class Listed:
    """A request with what it changes in words and how many have agreed."""

    change: ChangeRequest
    words: tuple[str, ...]
    given: int


@dataclass(frozen=True, slots=True)
class Requests:
    """A line's requests, newest first: those that wait for people, those that wait for their time, and what is over."""

    open: tuple[Listed, ...]
    scheduled: tuple[Listed, ...]
    past: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One request with everything around it, and what its reader may do."""

    change: ChangeRequest
    words: tuple[str, ...]
    given: tuple[Approval, ...]
    present: PolicyVersion
    # What has changed between the policy it was made against and the present one.
    since: tuple[str, ...]
    renewed_by: ChangeRequest | None
    may_approve: bool
    may_reject: bool
    may_withdraw: bool
    may_renew: bool

    @property
    def missing(self) -> int:
        """How many more must agree."""
        return max(0, self.change.approvals_needed - len(self.given))


def requests_of(line: Line, classes: list[LabelClass]) -> Requests:
    """Return the line's requests, with two queries."""
    rows = ChangeRequest.objects.filter(line=line).select_related("base", "requested_by", "result").order_by("-id")
    counted = rows.annotate(agreed=Count("given"))
    pending = list(counted.filter(state__in=PENDING))
    names = names_of(classes)
    return Requests(
        open=tuple(_listed(row, names) for row in pending if row.state == RequestState.OPEN),
        scheduled=tuple(_listed(row, names) for row in pending if row.state == RequestState.APPROVED),
        past=tuple(_listed(row, names) for row in counted.exclude(state__in=PENDING)[:SHOWN]),
    )


def requests_between(line: Line, names: dict[str, str], start: datetime, end: datetime) -> list[Listed]:
    """Return the requests that were made or that ended from `start` on and before `end`, oldest first, with two queries."""
    moved = Q(created_at__gte=start, created_at__lt=end) | Q(ended_at__gte=start, ended_at__lt=end)
    rows = ChangeRequest.objects.filter(moved, line=line).select_related("base", "requested_by", "result")
    # The report names who agreed: a person signs it.
    rows = rows.prefetch_related(Prefetch("given", queryset=Approval.objects.select_related("by").order_by("id")))
    return [_listed(row, names) for row in rows.annotate(agreed=Count("given")).order_by("id")]


def pending_of(line: Line) -> list[ChangeRequest]:
    """Return the requests of the line that are still to come, with one query."""
    return _pending.all(line=line.pk)


def standing(change: ChangeRequest, classes: list[LabelClass], user: User, now: datetime) -> Standing:
    """Return a request from `with_all` with its surroundings, with two queries."""
    names, draft = names_of(classes), draft_from_json(change.draft)
    present = PolicyVersion.objects.select_related("created_by").get(line=change.line, superseded_at=None)
    renewed_by = ChangeRequest.objects.filter(renews=change).first()
    given = tuple(change.given.all())
    pending, own = change.state in PENDING, change.requested_by_id == user.pk
    late = change.expires_at is not None and change.expires_at <= now
    agreed = user.pk in {approval.by_id for approval in given}
    return Standing(
        change=change,
        words=tuple(changes_in_words(draft_of(change.base), draft, names)),
        given=given,
        present=present,
        since=tuple(changes_in_words(draft_of(change.base), draft_of(present), names)),
        renewed_by=renewed_by,
        may_approve=change.state == RequestState.OPEN and not own and not late and not agreed,
        may_reject=pending and not own,
        may_withdraw=pending and own,
        may_renew=change.state in {RequestState.STALE, RequestState.EXPIRED} and renewed_by is None,
    )


def with_all() -> QuerySet[ChangeRequest]:
    """Return the requests with all that `standing` looks at, three queries whatever their number."""
    approvals = Approval.objects.select_related("by").order_by("id")
    joined = ("line", "base", "requested_by", "result", "renews", "restores", "certification")
    return ChangeRequest.objects.select_related(*joined).prefetch_related(
        Prefetch("given", queryset=approvals), "certification__certificates"
    )


def _listed(row: ChangeRequest, names: dict[str, str]) -> Listed:
    words = changes_in_words(draft_of(row.base), draft_from_json(row.draft), names)
    return Listed(row, tuple(words), row.agreed)  # type: ignore[attr-defined]
