"""The order in which people get work: overdue first, then priority, then age.

Among the overdue of one priority, who has been overdue longest comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Exists, IntegerField, OuterRef, QuerySet, Subquery

from gateway.compiled import Rows, Select, moment, number
from gateway.lifecycle import LEVELS
from gateway.models import Referral, ReferralState
from policies.models import Line
from review.models import Claim, ClaimEnd, Judgement

# To whom a queue is how much there is to do, a thousand is as good as more; who plans sees a little further.
ENOUGH, PLENTY = 1_000, 2_000


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """How long the queue is, and how old. What is counted is counted up to `most`, which then means that many or more."""

    open: int
    overdue: int
    oldest_at: datetime | None
    most: int = ENOUGH


def queue_facts(line: Line, *, now: datetime, most: int = ENOUGH) -> QueueFacts:
    """Count the line's open referrals, up to `most`. Each figure is the beginning of an index, however many wait."""
    ((waiting, overdue, oldest),) = _facts(most).all(line=line.pk, now=now)
    return QueueFacts(open=waiting, overdue=overdue, oldest_at=oldest, most=most)


def candidates(line: Line, reviewer: User, *, now: datetime, count: int, holds: bool = False) -> Iterator[Referral]:
    """Yield some `count` free referrals, best first, of items that this reviewer neither judged, skipped nor holds.

    Unless it `holds` something there is nothing to leave out for that. Inside a transaction each is locked where the database
    locks rows; those that somebody else is about to take are passed over instead of waited for.
    """
    of = {"line": line.pk, "reviewer": reviewer.pk}
    seen: set[int] = set()
    # A priority at a time, so that each look is the beginning of an index: no sorting, however many are overdue.
    for level, there in zip(LEVELS, _overdue_levels.first(line=line.pk, now=now) or (), strict=False):
        if there:
            for referral in _overdue(count, holds).each(**of, level=level, now=now):
                seen.add(referral.pk)
                yield referral
    # Here are all that are free; the overdue ones among them came already.
    for referral in _next(count + len(seen), holds).each(**of):
        if referral.pk not in seen:
            yield referral


class _Counted(Subquery):
    """The number of rows of a query that has an end."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@cache
def _facts(most: int) -> Rows:
    waiting = Referral.objects.filter(line=number("line"), state=ReferralState.OPEN)
    overdue, oldest = waiting.filter(due_at__lte=moment("now")), waiting.order_by("created_at")
    return Rows(
        lambda: Line.objects.filter(pk=number("line")).values_list(
            _Counted(waiting.values("pk")[:most]),
            _Counted(overdue.values("pk")[:most]),
            Subquery(oldest.values("created_at")[:1]),
        )
    )


def _levels() -> QuerySet[Line, Any]:
    """Return for each priority, highest first, whether something of it is overdue: one look into an index each."""
    overdue = Referral.objects.filter(line=number("line"), state=ReferralState.OPEN, due_at__lte=moment("now"))
    return Line.objects.filter(pk=number("line")).values_list(*(Exists(overdue.filter(priority=level)) for level in LEVELS))


_overdue_levels = Rows(_levels)


@cache
def _overdue(count: int, holds: bool) -> Select[Referral]:
    late = {"priority": number("level"), "due_at__lte": moment("now")}
    return Select(lambda: _free(holds).filter(**late).order_by("due_at", "id")[:count])


@cache
def _next(count: int, holds: bool) -> Select[Referral]:
    return Select(lambda: _free(holds).order_by("-priority", "created_at", "id")[:count])


def _free(holds: bool) -> QuerySet[Referral]:
    me = number("reviewer")
    claimed = Claim.objects.filter(referral=OuterRef("pk"), ended_at=None)
    skipped = Claim.objects.filter(referral=OuterRef("pk"), reviewer=me, end=ClaimEnd.SKIPPED)
    judged = Judgement.objects.filter(item=OuterRef("item"), reviewer=me)
    found = Referral.objects.filter(
        ~Exists(claimed), ~Exists(skipped), ~Exists(judged), line=number("line"), state=ReferralState.OPEN
    )
    if holds:
        open_ones = Claim.objects.filter(reviewer=me, ended_at=None, referral__state=ReferralState.OPEN)
        found = found.filter(~Exists(open_ones.filter(referral__item=OuterRef("item"))))
    skip_locked = connection.features.has_select_for_update_skip_locked
    return found.select_related("item", "line").select_for_update(of=("self",), skip_locked=skip_locked)
