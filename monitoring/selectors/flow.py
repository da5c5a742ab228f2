"""Where a line's items went, and how much of it the model did."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Count, Func, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from gateway.models import DecidedBy, Item, ItemState
from monitoring.intervals import Share, share
from monitoring.selectors.flag import flag
from monitoring.windows import Window
from policies.decide import Route
from policies.models import Line


@dataclass(frozen=True, slots=True)
class Flow:
    """Items that arrived in a window, by who stands behind what they are now. Each is in one part."""

    model_passed: int = 0
    model_rejected: int = 0
    people_passed: int = 0
    people_rejected: int = 0
    # Nobody decided in time.
    held: int = 0
    waiting: int = 0

    @property
    def people(self) -> int:
        """Items that a person decided."""
        return self.people_passed + self.people_rejected

    @property
    def total(self) -> int:
        """All items of the window."""
        return self.model_passed + self.model_rejected + self.people + self.held + self.waiting


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One bucket of the automation trend."""

    start: datetime
    end: datetime
    # Of the items that arrived in the bucket, those that the model decided on arrival.
    automated: Share


def arrivals(line: Line, since: datetime, until: datetime | None = None) -> QuerySet[Item]:
    """Return the items that arrived at the line's door since then, and before `until`.

    Imported ones were never up for a decision.
    """
    found = Item.objects.filter(line=line, received_at__gte=since).exclude(decided_by=DecidedBy.IMPORT).order_by()
    return found if until is None else found.filter(received_at__lt=until)


def flow(line: Line, negative: str, since: datetime, until: datetime | None = None) -> Flow:
    """Return the split of the window's items, with one query."""
    parts: dict[str, int] = {}
    for state, decided_by, passed, count in (
        arrivals(line, since, until)
        .annotate(passed=flag(Q(answer=negative)))
        .values_list("state", "decided_by", "passed")
        .annotate(count=Count("*"))
    ):
        part = part_of(state, decided_by, passed=bool(passed))
        parts[part] = parts.get(part, 0) + count
    return Flow(**parts)


def part_of(state: str, decided_by: str, *, passed: bool) -> str:
    """Return the name of the part of `Flow` that such an item belongs to."""
    if state == ItemState.REFERRED:
        return "waiting"
    if state == ItemState.HELD or decided_by == DecidedBy.FAIL_SAFE:
        return "held"
    who = "model" if decided_by == DecidedBy.MODEL else "people"
    return f"{who}_{'passed' if passed else 'rejected'}"


def flow_and_trend(line: Line, negative: str, window: Window, now: datetime) -> tuple[Flow, list[TrendPoint]]:
    """Return the split of the window's items, and a bucket a point the share that the model decided on arrival: one query."""
    since, edges = window.start(now), window.edges(now)
    parts: dict[str, int] = {}
    arrived, automated = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    rows = arrivals(line, since).annotate(hour=_Hour("received_at"))
    for hour, decided_by, route, state, answer, count in rows.values_list(
        "hour", "decided_by", "route", "state", "answer"
    ).annotate(count=Count("*")):
        part = part_of(state, decided_by, passed=answer == negative)
        parts[part] = parts.get(part, 0) + count
        # A bucket is made of whole hours. What came before the first one is only part of the window.
        place = bisect_right(edges, datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)) - 1
        if place >= 0:
            arrived[place] += count
            automated[place] += count * (route == Route.AUTOMATE)
    points = [
        TrendPoint(start, end, share(*counts))
        for (start, end), counts in zip(pairwise(edges), zip(automated, arrived, strict=True), strict=True)
    ]
    return Flow(**parts), points


class _Hour(Func):
    """The hour in UTC, as text: databases sort into hours faster than into buckets, and Django's own asks Python on SQLite."""

    output_field = CharField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> tuple[str, Any]:
        """Return the beginning of the text as which SQLite keeps it."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 13)", **more)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> tuple[str, Any]:
        """Return it formatted alike."""
        template = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')"
        return self.as_sql(compiler, connection, template=template, **more)
