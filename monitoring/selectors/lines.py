"""All lines at once, for the first page: four queries however many lines there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from gateway.compiled import Rows, moment
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
    begin = now - DAY
    figures = {pk: rest for pk, *rest in _figures.all(now=now, begin=begin, first=quarter_from(begin))}
    lines = Line.objects.filter(retired_at=None).order_by("name")
    return [_overview(line, modes, champions.get(line.pk, ""), *figures[line.pk]) for line in lines if line.pk in figures]


def _counted() -> QuerySet[Line, Any]:
    """Return what is counted for each line: ranges of indexes, whatever else is in the tables.

    Arrivals are read where they are summed up. An item that was late to be recorded is in its sum after the worker's next run.
    """
    waiting = Referral.objects.filter(line=OuterRef("pk"), state=ReferralState.OPEN)
    figures: dict[str, Combinable] = {
        # From where to where sums are read; without any the one is now, and so is the other.
        "lower": Greatest(moment("first"), Coalesce("summed__since", moment("now"))),
        "upper": Greatest("lower", Coalesce("summed__until", moment("now"))),
        "waiting": _count(waiting[:PLENTY]),
        "overdue": _count(waiting.filter(due_at__lte=moment("now"))[:PLENTY]),
        "oldest_at": Subquery(waiting.order_by("created_at").values("created_at")[:1]),
        "arrived": _arrived("arrived"),
        "automated": _arrived("automated", route=Route.AUTOMATE),
    }
    found: Any = Line.objects.filter(retired_at=None).order_by().annotate(**figures)
    rows: QuerySet[Line, Any] = found.values_list("pk", "waiting", "overdue", "oldest_at", "arrived", "automated")
    return rows


def _arrived(column: str, **which: str) -> Combinable:
    """Return the number of such arrivals of a day: sums of quarters, and what lies before and after them counted."""
    arrived = Item.objects.filter(line=OuterRef("pk"), **which).exclude(decided_by=DecidedBy.IMPORT).order_by()
    # Each a range of an index: with two beginnings, of which one says more, a database may take the other.
    before = arrived.filter(received_at__gte=moment("begin"), received_at__lt=OuterRef("lower"))
    after = arrived.filter(received_at__gte=OuterRef("upper"))
    summed = Quarter.objects.filter(line=OuterRef("pk"), start__gte=OuterRef("lower"), start__lt=OuterRef("upper")).values(
        "line"
    )
    total = Subquery(summed.annotate(total=Sum(column)).values("total"), output_field=IntegerField())
    return _count(before) + _count(after) + Coalesce(total, 0)


class _CountUpTo(Subquery):
    """The number of the rows of a query, which says itself up to how many."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def _count(rows: QuerySet[Any]) -> Combinable:
    return _CountUpTo(rows.values("line_id"))


def _overview(
    line: Line,
    modes: dict[int, str],
    champion: str,
    waiting: int,
    overdue: int,
    oldest_at: datetime | None,
    arrived: int,
    automated: int,
) -> LineOverview:
    return LineOverview(
        line=line,
        mode=Mode(modes.get(line.pk, Mode.HUMAN_ONLY)),
        open=waiting,
        overdue=overdue,
        oldest_at=oldest_at,
        arrived=arrived,
        automated=share(automated, arrived),
        champion=champion,
    )


_figures = Rows(_counted)
