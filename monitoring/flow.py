"""Where a line's items went, and how much of it the model did. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gateway.models import DecidedBy, ItemState
from monitoring.intervals import Share, share
from policies.decide import Route

# Who decided, the route on arrival, the state and the answer as they are now, and how many items.
Group = tuple[str, str, str, str, int]
# With the beginning of the hour or quarter in which they arrived.
Arrived = tuple[datetime, Group]


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


def flow(groups: Iterable[Arrived], negative: str) -> Flow:
    """Return the split of the items that arrived."""
    parts: Counter[str] = Counter()
    for _, (decided_by, _, state, answer, count) in groups:
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


def trend(groups: Iterable[Arrived], edges: Sequence[datetime]) -> list[TrendPoint]:
    """Return the share that the model decided on arrival, a point for each bucket between two edges, which are whole hours.

    What came before the first edge is in no bucket.
    """
    arrived, automated = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    for start, (_, route, _, _, count) in groups:
        place = bisect_right(edges, start) - 1
        if 0 <= place < len(arrived):
            arrived[place] += count
            automated[place] += count * (route == Route.AUTOMATE)
    return [
        TrendPoint(start, end, share(*counts))
        for (start, end), counts in zip(pairwise(edges), zip(automated, arrived, strict=True), strict=True)
    ]


def automated(groups: Iterable[Arrived]) -> Share:
    """Return the share of the items that the model decided on arrival."""
    routes: Counter[str] = Counter()
    for _, (_, route, _, _, count) in groups:
        routes[route] += count
    return share(routes[Route.AUTOMATE], routes.total())
