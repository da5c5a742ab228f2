"""What the guardrails besides the audited errors see now: model without an answer, late queue, agreement in shadow.

Each looks at a window that ends now and begins at `since` at the earliest, so that what one alarm counted no later one counts
again. Shares that are estimated are compared by their exact bound, so that a run of bad luck is no alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from gateway.models import DecidedBy, Item, Referral, ReferralState, Role
from monitoring.differences import percent
from monitoring.models import Watch
from policies.certify.binomial import lower_bound
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from review.models import Label, LabelSource

# Arrivals, or labels, that a share is taken over.
WINDOW = 200
# The chance that the bound of one look is wrong: small, as somebody looks every few seconds.
CHANCE = 0.001
# Fewer overdue referrals are an item that was forgotten, not a queue that is late.
LEAST_OVERDUE = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """What a watch sees: `k` of `n`, whether that is beyond its level, and the same in words."""

    watch: Watch
    since: datetime
    level: float
    k: int
    n: int
    beyond: bool
    words: str
    # What is kept with an alarm besides the figures above.
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def evidence(self) -> dict[str, Any]:
        """The figures as an alarm keeps them."""
        return {"k": self.k, "n": self.n, "level": self.level, **self.more}


def unavailable(line: Line, level: float, since: datetime) -> Reading:
    """Return how many of the last arrivals the model gave no answer for, with one query. Beyond: surely more than `level`."""
    arrived = Item.objects.filter(line=line, received_at__gte=since).exclude(policy__mode=Mode.HUMAN_ONLY)
    reasons = list(
        arrived.exclude(decided_by=DecidedBy.IMPORT).order_by("-received_at", "-id").values_list("reason", flat=True)[:WINDOW]
    )
    k, n = reasons.count(Reason.MODEL_UNAVAILABLE.value), len(reasons)
    bound = float(lower_bound(k, n, CHANCE))
    words = f"no answer for {k} of the last {n} items, level {percent(level)}" if n else "no item yet"
    return Reading(Watch.UNAVAILABLE, since, level, k, n, bound > level, words, {"bound": bound})


def overdue(line: Line, level: float, since: datetime, now: datetime) -> Reading:
    """Return how many of the open referrals made since then are past their due time, with one query.

    Every one of them is counted, not sampled: beyond is a larger share than `level`, and at least LEAST_OVERDUE of them.
    """
    found = Referral.objects.filter(line=line, state=ReferralState.OPEN, created_at__gte=since).aggregate(
        n=Count("*"), k=Count("due_at", filter=Q(due_at__lte=now))
    )
    k, n = found["k"], found["n"]
    words = f"{k} of {n} open referrals past their due time, level {percent(level)}" if n else "no open referral"
    return Reading(Watch.QUEUE, since, level, k, n, k >= LEAST_OVERDUE and k > level * n, words)


def agreement(line: Line, level: float, since: datetime) -> Reading:
    """Return how many of the last labels in shadow the model agrees with, with one query. Beyond: surely fewer than `level`."""
    labels = Label.standing.filter(
        line=line,
        source=LabelSource.JUDGEMENT,
        blind=True,
        item__reason=Reason.SHADOW.value,
        # No label is older than its item: the index by time ends the look there.
        created_at__gte=since,
        item__received_at__gte=since,
        item__predictions__role=Role.CHAMPION,
    ).exclude(answer="")
    pairs = list(labels.order_by("-created_at", "-sequence").values_list("answer", "item__predictions__answer")[:WINDOW])
    k, n = sum(truth == said for truth, said in pairs), len(pairs)
    bound = 1 - float(lower_bound(n - k, n, CHANCE))
    words = f"model and people agree on {k} of the last {n} items, level {percent(level)}" if n else "no label in shadow yet"
    return Reading(Watch.AGREEMENT, since, level, k, n, bound < level, words, {"bound": bound})
