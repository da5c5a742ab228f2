"""What arrived on a line in a window, and what became of it: sums by the quarter of an hour, and the rest counted.

A line that carries two hundred photos a second has seventeen million in a day: whoever opens its page must not count them.
The sums are the worker's (`monitoring/summing.py`); here they are read where they are up to date. Which are not is said by the
events: every move leaves one in its transaction, so that quarters whose items moved since the sums were made are few and
known, and these are counted anew. Where nothing is summed up yet, all is counted; the answer is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Subquery

from gateway.compiled import Rows, moment, number
from gateway.models import Event
from monitoring.cells import Cell, merged
from monitoring.flow import Arrived
from monitoring.models import Quarter, Summed
from monitoring.quarters import Span, quarter_of, split
from monitoring.selectors.counted import Minute, groups_in, number_in, parsed, scores_of
from monitoring.selectors.labelled import cells_in
from policies.models import Line

# By answer and fine bin of the score, how many.
Scored = Counter[tuple[str, int]]
# Clocks differ between machines: what arrived a moment ahead of ours has arrived.
END = datetime(9999, 1, 1, tzinfo=UTC)

# Events since the sums were made: with more of them, which quarters moved would take longer to find than to count.
MOST_BEHIND = 100_000

_newest = Subquery(Event.objects.order_by("-id").values("id")[:1])
_summed = Rows(lambda: Summed.objects.filter(line=number("line")).values_list("since", "until", "event", _newest))
_moved = Rows(
    lambda: (
        Event.objects.filter(line=number("line"), id__gt=number("event"), item__received_at__lt=moment("until"))
        .order_by()
        .annotate(minute=Minute("item__received_at"))
        .values_list("minute")
        .distinct()
    )
)


def _sums(column: str) -> Rows:
    of_span = {"start__gte": moment("begin"), "start__lt": moment("end")}
    return Rows(lambda: Quarter.objects.filter(line=number("line"), **of_span).values_list("start", column))


_arrived_sums, _group_sums = _sums("arrived"), _sums("groups")
_score_sums, _cell_sums = _sums("scores"), _sums("cells")


@dataclass(frozen=True, slots=True)
class Book:
    """Where a line is summed up: quarters of `span`, but for those that `moved` since."""

    line: Line
    span: Span | None
    moved: frozenset[datetime]


def book_of(line: Line) -> Book:
    """Return where the line is summed up, with two queries. Ask for it before the sums: it may only be older than they are."""
    found = _summed.first(line=line.pk)
    if found is None or (found[3] or 0) - found[2] > MOST_BEHIND:
        return Book(line, None, frozenset())
    since, until, event, _ = found
    return Book(line, (since, until), moved_since(line, event, until))


def moved_since(line: Line, event: int, until: datetime) -> frozenset[datetime]:
    """Return the quarters before `until` of whose items an event after that one tells."""
    minutes = _moved.all(line=line.pk, event=event, until=until)
    return frozenset(quarter_of(parsed(minute)) for (minute,) in minutes)


def groups(book: Book, since: datetime, until: datetime = END) -> list[Arrived]:
    """Return groups of items that arrived in the span, each with the beginning of the hour or quarter in which they did."""
    summed = [(start, tuple(group)) for start, found in _read(book, _group_sums, since, until) for group in found]
    return summed + [one for span in _to_count(book, since, until) for one in groups_in(book.line, span)]


def how_many(book: Book, since: datetime, until: datetime = END) -> int:
    """Return the number of items that arrived in the span."""
    items = sum(arrived for _, arrived in _read(book, _arrived_sums, since, until))
    return int(items) + sum(number_in(book.line, span) for span in _to_count(book, since, until))


def scored(book: Book, version: int | None, since: datetime, until: datetime = END) -> Scored:
    """Return the items of the span that `version`, None for the caller's own, scored as champion."""
    found: Scored = Counter()
    for _, scores in _read(book, _score_sums, since, until):
        for answer, bins in scores.get(key_of(version), {}).items():
            for position, count in zip(bins[::2], bins[1::2], strict=True):
                found[answer, position] += count
    for answer, position, count in scores_of(book.line, version, _to_count(book, since, until)):
        found[answer, position] += count
    return found


def cells(book: Book, since: datetime, until: datetime = END) -> list[Cell]:
    """Return the standing labels of the items that arrived in the span."""
    summed = [cell for _, found in _read(book, _cell_sums, since, until) for cell in found]
    counted = [cell for span in _to_count(book, since, until) for cell in cells_in(book.line, span)]
    return merged(summed + counted)


def _read(book: Book, sums: Rows, since: datetime, until: datetime) -> Iterator[tuple[datetime, Any]]:
    span, _ = split((since, until), book.span, book.moved)
    if span is not None:
        for start, found in sums.all(line=book.line.pk, begin=span[0], end=span[1]):
            if start not in book.moved:
                yield start, found


def _to_count(book: Book, since: datetime, until: datetime) -> list[Span]:
    return split((since, until), book.span, book.moved)[1]


def key_of(version: int | None) -> str:
    """Return the name of a model version in a JSON object."""
    return "" if version is None else str(version)
