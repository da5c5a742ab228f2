"""What the page of one recall shows, read with a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Q

from gateway.models import DecidedBy, Item, Prediction, ReferralState, Role
from monitoring.models import Recall
from monitoring.selectors.siblings import Expected, Sibling, candidates, expected, first_decisions, nearest
from policies.decide import Reason

SHOWN = 24


@dataclass(frozen=True, slots=True)
class Shown:
    """A sibling on the page."""

    item: Item
    sibling: Sibling
    score: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of the siblings that recalls sent to people."""

    sent: int
    judged: int
    wrong: int


@dataclass(frozen=True, slots=True)
class RecallPage:
    """Candidates nearest first, how many there are, and how many errors to expect among them."""

    count: int
    shown: tuple[Shown, ...]
    expected: Expected
    progress: Progress
    # What the button offers at first.
    offered: int


def recall_page(recall: Recall) -> RecallPage:
    """Return the page, with seven queries."""
    count, siblings = candidates(recall).count(), nearest(recall)[:SHOWN]
    ids = [sibling.item for sibling in siblings]
    items = Item.objects.in_bulk(ids)
    scores = dict(Prediction.objects.filter(item__in=ids, role=Role.CHAMPION).values_list("item_id", "score"))
    return RecallPage(
        count=count,
        shown=tuple(Shown(items[one.item], one, scores.get(one.item)) for one in siblings),
        expected=expected(recall, count),
        progress=_progress(recall),
        offered=min(count, SHOWN),
    )


def _progress(recall: Recall) -> Progress:
    found = first_decisions(recall).filter(item__referrals__reason=Reason.RECALL.value, item__received_at__lte=recall.until)
    if recall.since is not None:
        found = found.filter(item__received_at__gte=recall.since)
    judged = Q(item__referrals__state=ReferralState.SETTLED)
    wrong = judged & Q(item__decided_by=DecidedBy.PERSON) & ~Q(item__answer=F("answer"))
    return Progress(
        **found.aggregate(
            sent=Count("item", distinct=True),
            judged=Count("item", filter=judged, distinct=True),
            wrong=Count("item", filter=wrong, distinct=True),
        )
    )
