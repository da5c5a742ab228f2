"""The queue of one line, cheap enough to be asked for every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.compiled import Rows, moment
from policies.models import Line
from review.models import Claim
from review.queue import PLENTY, queue_facts

# All lines' claims: a handful. Asked for one line's, the database would begin with all that is open on it.
_held = Rows(
    lambda: Claim.objects.filter(ended_at=None, expires_at__gt=moment("now")).values_list("referral__line_id", "reviewer_id")
)


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
    # Up to here it is counted: as many open or overdue means that many or more.
    most: int = PLENTY


def queue(line: Line, now: datetime) -> Queue:
    """Return the line's queue, with two queries."""
    facts = queue_facts(line, now=now, most=PLENTY)
    here = [reviewer for line_id, reviewer in _held.all(now=now) if line_id == line.pk]
    return Queue(facts.open, facts.overdue, facts.oldest_at, len(here), len(set(here)))
