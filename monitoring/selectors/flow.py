"""Where a line's items went, and how much of it the model did."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gateway.models import DecidedBy, ItemState
from monitoring.intervals import Share, share
from monitoring.selectors.arrived import END, Book, groups
from monitoring.windows import Window
from policies.decide import Route


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


def flow(book: Book, negative: str, since: datetime, until: datetime = END) -> Flow:
    """Return the split of the items that arrived in the window."""
    parts: Counter[str] = Counter()
    for _, (decided_by, _, state, answer, count) in groups(book, since, until):
        parts[part_of(state, decided_by, passed=answer == negative)] += count
    return Flow(**parts)


def part_of(state: str, decided_by: str, *, passed: bool) -> str:
    """Return the name of the part of `Flow` that such an item belongs to."""
    if state == ItemState.REFERRED:
        return "waiting"
    if state == ItemState.HELD or decided_by == DecidedBy.FAIL_SAFE:
        return "held"
    who = "model" if decided_by == DecidedBy.MODEL else "people"
    return f"{who}_{'passed' if passed else 'rejected'}"


def flow_and_trend(book: Book, negative: str, window: Window, now: datetime) -> tuple[Flow, list[TrendPoint]]:
    """Return the split of the window's items, and a bucket a point the share that the model decided on arrival."""
    since, edges = window.start(now), window.edges(now)
    parts: Counter[str] = Counter()
    arrived, automated = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    for start, (decided_by, route, state, answer, count) in groups(book, since):
        parts[part_of(state, decided_by, passed=answer == negative)] += count
        # A bucket is made of whole hours. What came before the first one is only part of the window.
        place = bisect_right(edges, start) - 1
        if 0 <= place < len(arrived):
            arrived[place] += count
            automated[place] += count * (route == Route.AUTOMATE)
    points = [
        TrendPoint(start, end, share(*counts))
        for (start, end), counts in zip(pairwise(edges), zip(automated, arrived, strict=True), strict=True)
    ]
    return Flow(**parts), points


def automated(book: Book, since: datetime, until: datetime = END) -> Share:
    """Return the share of the window's items that the model decided on arrival."""
    routes: Counter[str] = Counter()
    for _, (_, route, _, _, count) in groups(book, since, until):
        routes[route] += count
    return share(routes[Route.AUTOMATE], routes.total())
