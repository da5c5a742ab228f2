"""The order in which people get work: overdue first, then priority, then age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from gateway.models import Referral, ReferralState
from policies.models import Line
from review.models import Claim, ClaimEnd, Judgement


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """How long the queue is, and how old."""

    open: int
    overdue: int
    oldest_at: datetime | None


def queue_facts(line: Line, *, now: datetime) -> QueueFacts:
    """Count the line's open referrals with one query."""
    facts = Referral.objects.filter(line=line, state=ReferralState.OPEN).aggregate(
        open=Count("pk"), overdue=Count("pk", filter=Q(due_at__lte=now)), oldest=Min("created_at")
    )
    return QueueFacts(facts["open"], facts["overdue"], facts["oldest"])


def candidates(line: Line, reviewer: User, *, now: datetime, count: int) -> Iterator[Referral]:
    """Yield up to twice `count` free referrals, best first, of items that this reviewer neither judged, skipped nor holds."""
    free = _free(line, reviewer).select_related("item", "line")
    yield from free.filter(due_at__lte=now).order_by("-priority", "created_at", "id")[:count]
    yield from free.exclude(due_at__lte=now).order_by("-priority", "created_at", "id")[:count]


def _free(line: Line, reviewer: User) -> QuerySet[Referral]:
    claimed = Claim.objects.filter(referral=OuterRef("pk"), ended_at=None)
    skipped = Claim.objects.filter(referral=OuterRef("pk"), reviewer=reviewer, end=ClaimEnd.SKIPPED)
    judged = Judgement.objects.filter(item=OuterRef("item"), reviewer=reviewer)
    # An item may be asked about twice at once; one person answers one of the questions.
    held = Claim.objects.filter(
        referral__item=OuterRef("item"), referral__state=ReferralState.OPEN, reviewer=reviewer, ended_at=None
    )
    return Referral.objects.filter(
        ~Exists(claimed), ~Exists(skipped), ~Exists(judged), ~Exists(held), line=line, state=ReferralState.OPEN
    )
