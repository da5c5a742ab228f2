"""The judgements of AI assist: those given after seeing the model's answer, and its random blind arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from gateway.models import Role
from monitoring.bias import Judged, Leaning, leaning
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from review.models import Judgement

# Blind answers about an item: (reviewer, answer).
Seconds = dict[UUID, list[tuple[int, str]]]
SHOWN = Q(item__reason=Reason.ASSIST, referral__reason=Reason.ASSIST, blind=False)
BLIND = Q(item__in_audit=True, item__reason=Reason.AUDIT, referral__reason=Reason.AUDIT, blind=True, saw_prediction=False)


@dataclass(frozen=True, slots=True)
class Leanings:
    """What the judgements say of all inspectors together and of each, and what they are made of."""

    everybody: Leaning
    each: tuple[Leaning, ...]
    # Judgements of items that somebody else judged blind too: only these can tell whether the model was wrong.
    checked: int
    # Judgements in assist that were given without opening the model's answer: they are in neither arm.
    unopened: int


def leanings(line: Line, since: datetime, until: datetime | None = None) -> Leanings:
    """Return the leanings over the items that arrived since then, and before `until`, with two queries.

    The standing answers count; unsure is neither agreement nor disagreement.
    """
    given = list(
        _answers(line, since, until)
        .filter(SHOWN | BLIND, item__predictions__role=Role.CHAMPION)
        .order_by("id")
        .values_list(
            "item_id", "reviewer_id", "reviewer__username", "answer", "blind", "saw_prediction", "item__predictions__answer"
        )
    )
    seconds: Seconds = defaultdict(list)
    looks = _answers(line, since, until).filter(blind=True, saw_prediction=False)
    for item, reviewer, answer in looks.order_by().values_list("item_id", "reviewer_id", "answer"):
        seconds[item].append((reviewer, answer))
    judged = [
        Judged(name, saw, answer == said, _wrong(said, reviewer, seconds.get(item, ())))
        for item, reviewer, name, answer, blind, saw, said in given
        if saw or blind
    ]
    everybody, *each = leaning(judged)
    checked = sum(one.model_wrong is not None for one in judged)
    return Leanings(everybody, tuple(each), checked, len(given) - len(judged))


def _answers(line: Line, since: datetime, until: datetime | None) -> QuerySet[Judgement]:
    found = Judgement.standing.filter(
        line=line,
        # No judgement is older than its item: the index by time does not read those of long ago.
        created_at__gte=since,
        item__received_at__gte=since,
        item__policy__mode=Mode.ASSIST,
    )
    return (found if until is None else found.filter(item__received_at__lt=until)).exclude(answer=Judgement.UNSURE)


def _wrong(said: str, reviewer: int, looks: Iterable[tuple[int, str]]) -> bool | None:
    """Return whether others who judged it blind say the model was wrong; None where there are none or they do not agree."""
    others = {answer for other, answer in looks if other != reviewer}
    return others.pop() != said if len(others) == 1 else None
