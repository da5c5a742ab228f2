"""Where a line's items went, and how much of it the model did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from gateway.models import DecidedBy, Item, ItemState
from monitoring.intervals import Share, share
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
        .annotate(passed=Case(When(answer=negative, then=Value(1)), default=Value(0), output_field=IntegerField()))
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


def automation_trend(line: Line, window: Window, now: datetime) -> list[TrendPoint]:
    """Return the share that the model decided on arrival, a bucket a point, with one query."""
    edges = window.edges(now)
    # The database sorts into buckets by comparing: no date function, hence the same on every database.
    bucket = Case(
        *(When(received_at__lt=edge, then=Value(position)) for position, edge in enumerate(edges[1:])),
        default=Value(len(edges) - 2),
        output_field=IntegerField(),
    )
    counts = {
        row["bucket"]: row
        for row in arrivals(line, edges[0])
        .annotate(bucket=bucket)
        .values("bucket")
        .annotate(arrived=Count("*"), automated=Count("route", filter=Q(route=Route.AUTOMATE)))
    }
    none = {"arrived": 0, "automated": 0}
    return [
        TrendPoint(start, end, share(row["automated"], row["arrived"]))
        for position, (start, end) in enumerate(pairwise(edges))
        for row in [counts.get(position, none)]
    ]
