"""The queue of one line, cheap enough to be asked for every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from policies.models import Line
from review.models import Claim
from review.queue import queue_facts


@dataclass(frozen=True, slots=True)
class Queue:
    """Open referrals of a line."""

    open: int
    overdue: int
    # When the oldest was made.
    oldest_at: datetime | None
    # Referrals that somebody holds now, and how many people that are.
    claimed: int
    reviewers: int


def queue(line: Line, now: datetime) -> Queue:
    """Return the line's queue, with two queries."""
    facts = queue_facts(line, now=now)
    held = Claim.objects.filter(referral__line=line, ended_at=None, expires_at__gt=now).aggregate(
        claimed=Count("pk"), reviewers=Count("reviewer", distinct=True)
    )
    return Queue(facts.open, facts.overdue, facts.oldest_at, held["claimed"], held["reviewers"])
