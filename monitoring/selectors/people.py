"""What the inspectors of a line did in the last day."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, Sum

from gateway.compiled import Rows, moment, number
from monitoring.selectors.flag import flag
from policies.models import Line
from review.models import Judgement

SPAN = timedelta(hours=24)
HOUR = timedelta(hours=1)


def _alike() -> Any:
    # The database puts together what is alike: a row a judgement would be most of the work here. Corrections are left out
    # afterwards: asked to, a database may begin with all that is none.
    found = Judgement.objects.filter(line=number("line"), created_at__gte=moment("since")).order_by()
    told = found.annotate(
        first=flag(Q(supersedes=None)),
        late=flag(Q(created_at__gte=moment("late"))),
        unsure=flag(Q(answer=Judgement.UNSURE)),
        tenth=(F("active_ms") + 50) / 100,
    ).values_list("reviewer__username", "first", "late", "unsure", "tenth")
    return told.annotate(count=Count("*"), active=Sum("active_ms"))


_judged = Rows(_alike)


class _Alike(NamedTuple):
    """Judgements of one inspector that took the same tenth of a second; conditions are 1 or 0."""

    first: int
    late: int
    unsure: int
    tenth: int
    times: int
    active_ms: int


@dataclass(frozen=True, slots=True)
class ReviewerWork:
    """One inspector's last 24 hours on the line."""

    name: str
    judgements: int
    last_hour: int
    unsure: int
    # Of the times to a tenth of a second.
    median_seconds: float
    # Active time in front of items, in hours.
    hours: float

    @property
    def per_hour(self) -> float | None:
        """Judgements in an hour of active time; None where no time was measured."""
        return self.judgements / self.hours if self.hours else None


@dataclass(frozen=True, slots=True)
class Work:
    """All inspectors of the line."""

    judgements: int
    last_hour: int
    median_seconds: float | None
    hours: float
    reviewers: tuple[ReviewerWork, ...]


def work(line: Line, now: datetime) -> Work:
    """Return the judgements of the last 24 hours, busiest inspector first, with one query. A correction is no new work."""
    people: defaultdict[str, list[_Alike]] = defaultdict(list)
    for name, *alike in _judged.all(line=line.pk, since=now - SPAN, late=now - HOUR):
        found = _Alike(*alike)
        if found.first:
            people[name].append(found)
    reviewers = [_reviewer(name, entries) for name, entries in people.items()]
    everything = [entry for entries in people.values() for entry in entries]
    return Work(
        judgements=_number(everything),
        last_hour=sum(entry.last_hour for entry in reviewers),
        median_seconds=_median(everything) if everything else None,
        hours=sum(entry.hours for entry in reviewers),
        reviewers=tuple(sorted(reviewers, key=lambda entry: (-entry.judgements, entry.name))),
    )


def _reviewer(name: str, entries: list[_Alike]) -> ReviewerWork:
    return ReviewerWork(
        name=name,
        judgements=_number(entries),
        last_hour=_number(entry for entry in entries if entry.late),
        unsure=_number(entry for entry in entries if entry.unsure),
        median_seconds=_median(entries),
        hours=sum(entry.active_ms for entry in entries) / 3_600_000,
    )


def _number(entries: Iterable[_Alike]) -> int:
    return sum(entry.times for entry in entries)


def _median(entries: Iterable[_Alike]) -> float:
    """Return the median of the seconds an item, each counted as its tenth of a second."""
    tenths: Counter[int] = Counter()
    for entry in entries:
        tenths[entry.tenth] += entry.times
    order = sorted(tenths)
    upto = list(accumulate(tenths[tenth] for tenth in order))
    # Of an even number there are two in the middle.
    low, high = (order[bisect_left(upto, place)] for place in ((upto[-1] + 1) // 2, upto[-1] // 2 + 1))
    return (low + high) / 20
