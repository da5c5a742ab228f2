"""A line's past as arrays, for replays: what its present model said about each item, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db.models import FilteredRelation, Q, QuerySet
from numpy.typing import NDArray

from gateway.models import Deployment, Item, Role
from monitoring.replay import PERSON, UNKNOWN, Past
from monitoring.selectors.labelled import EVERYTHING_BLIND
from policies.decide import Reason
from policies.models import LabelClass, Line
from review.models import Judgement, Label, LabelSource

MOST_ITEMS = 100_000
# Enough for a mean to a per cent.
MOST_JUDGEMENTS = 10_000
LEAST_HOURS = 1.0


@dataclass(frozen=True, slots=True)
class LinePast:
    """The arrays with the items' ids in the same order, newest first; `seconds` are active seconds of recent judgements."""

    past: Past
    ids: list[UUID]
    oldest: datetime | None
    seconds: NDArray[np.float64]

    @property
    def full(self) -> bool:
        """Whether older items were left out."""
        return len(self.ids) == MOST_ITEMS


def line_past(line: Line, classes: list[LabelClass], champion: Deployment | None, since: datetime, now: datetime) -> LinePast:
    """Return the newest MOST_ITEMS items since then that the present champion scored as champion, with four queries.

    Items that it was asked about and had no answer to are among them: they would go to people again. What an earlier model
    said is left out, as it says nothing about this one. An item that came while its predictions routed cannot have trained it.
    """
    columns = ("pk", "said__answer", "said__score", "draw")
    rows = list(_items(line, champion, since).values_list(*columns)[:MOST_ITEMS])
    oldest = Item.objects.values_list("received_at", flat=True).get(pk=rows[-1][0]) if rows else None
    places = {entry.key: place for place, entry in enumerate(classes)}
    truths = _truths(line, oldest or now)
    past = Past(
        said=np.array([places.get(said, PERSON) for _, said, _, _ in rows], dtype=np.int64),
        score=np.array([score or 0.0 for _, _, score, _ in rows], dtype=np.float64),
        draw=np.array([draw for _, _, _, draw in rows], dtype=np.float64),
        truth=np.array([places.get(truths.get(pk, ""), UNKNOWN) for pk, _, _, _ in rows], dtype=np.int64),
        # A line that is minutes old would be told of thousands an hour: an hour is the least that says anything.
        hours=max(LEAST_HOURS, (now - oldest).total_seconds() / 3600) if oldest else 0.0,
        negative=next((place for place, entry in enumerate(classes) if entry.is_negative), 0),
    )
    return LinePast(past, [row[0] for row in rows], oldest, _seconds(line, since))


def _items(line: Line, champion: Deployment | None, since: datetime) -> QuerySet[Item]:
    version = champion.model_version_id if champion else None
    scored = Q(said__isnull=False, said__model_version=version)
    missed = Q(said__isnull=True, reason=Reason.MODEL_UNAVAILABLE)
    if champion is not None:
        missed &= Q(received_at__gte=champion.started_at)
    routing = FilteredRelation("predictions", condition=Q(predictions__role=Role.CHAMPION))
    found = Item.objects.filter(line=line, received_at__gte=since).annotate(said=routing)
    return found.filter(scored | missed).order_by("-received_at", "-pk")


def _truths(line: Line, since: datetime) -> dict[UUID, str]:
    """Return the standing blind labels of items that people would have seen whatever the model said."""
    labels = Label.standing.filter(
        Q(in_audit=True) | Q(item__reason__in=EVERYTHING_BLIND),
        line=line,
        source=LabelSource.JUDGEMENT,
        blind=True,
        created_at__gte=since,
        item__received_at__gte=since,
    )
    return dict(labels.order_by().values_list("item_id", "answer"))


def _seconds(line: Line, since: datetime) -> NDArray[np.float64]:
    """Return the active seconds of the newest judgements; 0 means that nobody measured it."""
    judged = Judgement.objects.filter(line=line, created_at__gte=since, active_ms__gt=0).order_by("-created_at")
    return np.array(judged.values_list("active_ms", flat=True)[:MOST_JUDGEMENTS], dtype=np.float64) / 1000
