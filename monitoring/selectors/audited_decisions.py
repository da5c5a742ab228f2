"""The audited decisions of a line that its limits count, as streams of right and wrong in the order in which truth came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import FilteredRelation, Q

from gateway.models import Deployment, Role
from policies.decide import Route
from policies.models import Limit, LimitForm, Line, PolicyVersion
from review.models import Label, LabelSource


@dataclass(frozen=True, slots=True)
class Anchor:
    """From where on evidence counts: the first policy version of the present rule, and a moment not before it."""

    policy: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Audit:
    """One audited item whose truth is known. `said` is what the model decided alone, empty where it did not."""

    item: UUID
    said: str
    truth: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stream:
    """The audits that one limit counts, each wrong (1) or right (0), in the order in which their truth became known."""

    label: str
    name: str
    negative: bool
    form: str
    epsilon: float
    outcomes: tuple[int, ...]
    # The items that were decided wrongly, in the same order.
    errors: tuple[UUID, ...]
    first_at: datetime | None
    last_at: datetime | None


def anchor_of(line: Line, at: datetime | None = None) -> Anchor:
    """Return from where on audits say something about what the line does now, or did just before `at`, with two queries.

    That is the latest of: the champion's deployment, and the version with which the present mode and thresholds came into
    force. So a person who raises automation or moves a threshold starts anew, and so does an alarm, which lowers the mode;
    a change of the audit rate or of a due time changes nothing about what the model decides, and starts nothing anew.
    """
    versions = PolicyVersion.objects.filter(line=line).order_by("-number").only("number", "mode", "thresholds", "created_at")
    champions = Deployment.objects.filter(line=line, role=Role.CHAMPION)
    if at is None:
        champions = champions.filter(ended_at=None)
    else:
        versions = versions.filter(created_at__lt=at)
        champions = champions.filter(Q(ended_at=None) | Q(ended_at__gte=at), started_at__lt=at)
    # The newest versions that decide alike, back to the first of them.
    _, present = next(groupby(versions, key=lambda version: (version.mode, version.thresholds)))
    first = list(present)[-1]
    champion = champions.first()
    since = max(first.created_at, champion.started_at) if champion else first.created_at
    return Anchor(first.number, since)


def audits_since(line: Line, anchor: Anchor, until: datetime | None = None, places: range | None = None) -> list[Audit]:
    """Return the audited items that arrived since the anchor, and before `until`, whose blind truth stands, with one query.

    Ordered by their label's place in the feed: the order in which truths became known. A corrected truth counts where it was
    corrected. Items whose audit is still open have no label yet and do not count. `places` are those in the feed that are read.
    """
    before = Q() if until is None else Q(item__received_at__lt=until)
    if places is not None:
        before &= Q(sequence__gte=places.start, sequence__lt=places.stop)
    rows = (
        Label.standing.filter(
            before,
            line=line,
            source=LabelSource.JUDGEMENT,
            blind=True,
            item__in_audit=True,
            # No label is older than its item: those of long ago are not read.
            created_at__gte=anchor.since,
            item__policy__number__gte=anchor.policy,
            item__received_at__gte=anchor.since,
        )
        .exclude(answer="")
        .annotate(first=FilteredRelation("item__decisions", condition=Q(item__decisions__number=1)))
        .order_by("sequence")
        .values_list("item_id", "item__route", "first__answer", "answer", "created_at")
    )
    return [Audit(item, said if route == Route.AUTOMATE else "", truth, at) for item, route, said, truth, at in rows]


def last_sequence(line: Line) -> int:
    """Return the newest place in the line's label feed, 0 where it is empty, with one query."""
    return Label.objects.filter(line=line).order_by("-sequence").values_list("sequence", flat=True).first() or 0


def replaced_between(line: Line, after: int, last: int) -> set[UUID]:
    """Return the items of which a label after that place and up to `last` superseded an earlier one, with one query."""
    found = Label.objects.filter(line=line, sequence__gt=after, sequence__lte=last, supersedes__isnull=False)
    return set(found.order_by().values_list("item_id", flat=True))


def limits_of(line: Line) -> list[Limit]:
    """Return the line's limits with their classes, with one query."""
    return list(Limit.objects.filter(line=line).select_related("label_class").order_by("label_class__position", "form"))


def streams(limits: Sequence[Limit], audits: Sequence[Audit]) -> list[Stream]:
    """Return the stream of each limit, in the limits' order. Pure."""
    return [_stream(limit, audits) for limit in limits]


def _stream(limit: Limit, audits: Sequence[Audit]) -> Stream:
    key = limit.label_class.key
    if limit.form == LimitForm.ESCAPE:
        counted = [(audit, audit.truth != key) for audit in audits if audit.said == key]
    else:
        # What was left to people was not decided wrongly by the model.
        counted = [(audit, audit.said not in {"", key}) for audit in audits if audit.truth == key]
    return Stream(
        label=key,
        name=limit.label_class.name,
        negative=limit.label_class.is_negative,
        form=limit.form,
        epsilon=limit.epsilon,
        outcomes=tuple(int(wrong) for _, wrong in counted),
        errors=tuple(audit.item for audit, wrong in counted if wrong),
        first_at=counted[0][0].at if counted else None,
        last_at=counted[-1][0].at if counted else None,
    )
