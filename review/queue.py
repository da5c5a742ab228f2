"""The order in which people get work: overdue first, then priority, then age.

Among the overdue of one priority, who has been overdue longest comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

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
    waiting = Referral.objects.filter(line=line, state=ReferralState.OPEN)
    return QueueFacts(
        open=waiting[:most].count(),
        overdue=waiting.filter(due_at__lte=now)[:most].count(),
        oldest_at=waiting.order_by("created_at").values_list("created_at", flat=True).first(),
        most=most,
    )


def candidates(line: Line, reviewer: User, *, now: datetime, count: int, held: Collection[UUID] = ()) -> Iterator[Referral]:
    """Yield some `count` free referrals, best first, of items that this reviewer neither judged, skipped nor holds.

    `held` are the items that the reviewer holds. Inside a transaction each is locked where the database locks rows; those that
    somebody else is about to take are passed over instead of waited for.
    """
    free = _free(line, reviewer).exclude(item__in=held) if held else _free(line, reviewer)
    seen: set[int] = set()
    # A priority at a time, so that each look is the beginning of an index: no sorting, however many are overdue.
    for level in _overdue_levels(line, now):
        for referral in free.filter(priority=level, due_at__lte=now).order_by("due_at", "id")[:count]:
            seen.add(referral.pk)
            yield referral
    # Here are all that are free; the overdue ones among them came already.
    for referral in free.order_by("-priority", "created_at", "id")[: count + len(seen)]:
        if referral.pk not in seen:
            yield referral


def _overdue_levels(line: Line, now: datetime) -> list[int]:
    """Return the priorities of which something is overdue, highest first, with one query that looks once into an index each."""
    overdue = Referral.objects.filter(line=OuterRef("pk"), state=ReferralState.OPEN, due_at__lte=now)
    looks = {f"level_{level}": Exists(overdue.filter(priority=level)) for level in LEVELS}
    found = Line.objects.filter(pk=line.pk).values_list(*looks.values()).first()
    return [level for level, there in zip(LEVELS, found or (), strict=False) if there]


def _free(line: Line, reviewer: User) -> QuerySet[Referral]:
    claimed = Claim.objects.filter(referral=OuterRef("pk"), ended_at=None)
    skipped = Claim.objects.filter(referral=OuterRef("pk"), reviewer=reviewer, end=ClaimEnd.SKIPPED)
    judged = Judgement.objects.filter(item=OuterRef("item"), reviewer=reviewer)
    found = Referral.objects.filter(~Exists(claimed), ~Exists(skipped), ~Exists(judged), line=line, state=ReferralState.OPEN)
    skip_locked = connection.features.has_select_for_update_skip_locked
    return found.select_related("item", "line").select_for_update(of=("self",), skip_locked=skip_locked)
