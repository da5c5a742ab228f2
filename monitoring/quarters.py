"""Quarters of an hour, by which a line's arrivals are summed up. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
Span = tuple[datetime, datetime]


def quarter_of(moment: datetime) -> datetime:
    """Return the beginning of the quarter that the moment lies in. Every time zone in use begins its hours with one."""
    length = int(QUARTER.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // length * length, tz=UTC)


def quarter_from(moment: datetime) -> datetime:
    """Return the first quarter that begins at the moment or later."""
    begun = quarter_of(moment)
    return begun if begun == moment else begun + QUARTER


def quarters(begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the quarters from `begin`, which is one, to before `end`."""
    while begin < end:
        yield begin
        begin += QUARTER


def split(span: Span, summed: Span | None, moved: Collection[datetime]) -> tuple[Span | None, list[Span]]:
    """Return the part of `span` whose sums can be read, and the parts that have to be counted, in order and apart.

    `summed` is where sums are; they are out of date in the quarters `moved`, which lie among the first part and in the second.
    """
    begin, end = span
    first, last = (max(quarter_from(begin), summed[0]), min(quarter_of(end), summed[1])) if summed else (end, begin)
    if first >= last:
        return None, [span]
    parts: list[Span] = []
    for start, stop in (
        (begin, first),
        *((quarter, quarter + QUARTER) for quarter in sorted(moved) if first <= quarter < last),
        (last, end),
    ):
        if parts and parts[-1][1] == start:
            parts[-1] = parts[-1][0], stop
        elif start < stop:
            parts.append((start, stop))
    return (first, last), parts
