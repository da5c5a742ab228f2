"""All lines at once, for the first page: three queries however many lines there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from gateway.models import DecidedBy, Deployment, Item, Referral, ReferralState, Role
from monitoring.intervals import Share, share
from monitoring.models import Quarter
from monitoring.quarters import quarter_from
from policies.decide import Route
from policies.models import Line, PolicyVersion
from policies.modes import NOTCHES, Mode, Notch
from review.queue import PLENTY

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LineOverview:
    """What the first page shows of one line."""

    line: Line
    mode: Mode
    open: int
    overdue: int
    # When the oldest open referral was made.
    oldest_at: datetime | None
    arrived: int
    # Of the items that arrived in the last 24 hours, those that the model decided on arrival.
    automated: Share
    champion: str
    # Up to here open and overdue are counted.
    most: int = PLENTY

    @property
    def notch(self) -> Notch:
        """The dial's position in words."""
        return NOTCHES[self.mode.level]


def overviews(now: datetime) -> list[LineOverview]:
    """Return every line that is not retired, by name."""
    modes = dict(PolicyVersion.objects.filter(superseded_at=None).values_list("line_id", "mode"))
    champions = dict(Deployment.objects.filter(role=Role.CHAMPION, ended_at=None).values_list("line_id", "model_version__name"))
    lines = Line.objects.filter(retired_at=None).annotate(**_figures(now)).order_by("name")
    return [_overview(line, modes, champions.get(line.pk, "")) for line in lines]


def _figures(now: datetime) -> dict[str, Combinable]:
    """Return what is counted for each line: ranges of indexes, whatever else is in the tables.

    Arrivals are read where they are summed up. An item that was late to be recorded is in its sum some seconds later.
    """
    waiting = Referral.objects.filter(line=OuterRef("pk"), state=ReferralState.OPEN)
    first, present = quarter_from(now - DAY), Value(now, DateTimeField())
    return {
        "waiting": _count(waiting[:PLENTY]),
        "overdue": _count(waiting.filter(due_at__lte=now)[:PLENTY]),
        "oldest_at": Subquery(waiting.order_by("created_at").values("created_at")[:1]),
        # From where to where sums are read; without any the one is now, and so is the other.
        "lower": Greatest(Value(first, DateTimeField()), Coalesce("summed__since", present)),
        "upper": Greatest("lower", Coalesce("summed__until", present)),
        "arrived": _arrived(now, first, "arrived"),
        "automated": _arrived(now, first, "automated", route=Route.AUTOMATE),
    }


def _arrived(now: datetime, first: datetime, column: str, **which: str) -> Combinable:
    """Return the number of such arrivals of a day: sums of quarters, and what lies before and after them counted."""
    arrived = Item.objects.filter(line=OuterRef("pk"), received_at__gte=now - DAY, **which).exclude(decided_by=DecidedBy.IMPORT)
    before, after = arrived.filter(received_at__lt=OuterRef("lower")), arrived.filter(received_at__gte=OuterRef("upper"))
    summed = Quarter.objects.filter(line=OuterRef("pk"), start__gte=first).values("line")
    total = Subquery(summed.annotate(total=Sum(column)).values("total"), output_field=IntegerField())
    return _count(before.order_by()) + _count(after.order_by()) + Coalesce(total, 0)


class _CountUpTo(Subquery):
    """The number of the rows of a query, which says itself up to how many."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def _count(rows: QuerySet[Any]) -> Combinable:
    return _CountUpTo(rows.values("line_id"))


def _overview(line: Any, modes: dict[int, str], champion: str) -> LineOverview:
    return LineOverview(
        line=line,
        mode=Mode(modes.get(line.pk, Mode.HUMAN_ONLY)),
        open=line.waiting,
        overdue=line.overdue,
        oldest_at=line.oldest_at,
        arrived=line.arrived,
        automated=share(line.automated, line.arrived),
        champion=champion,
    )
