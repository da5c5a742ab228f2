"""Sums up what arrived on a line by the quarter of an hour, for pages that would otherwise count a day at every look.

A run makes the sums of the quarters that are over, and those anew whose items have moved, found by their events: an item was
judged, an answer was taken back, or one was late to be recorded. Nothing on the road or in the console writes a sum, so nobody
waits for another's. A run that is lost, or two at once, do no harm: what is not summed up is counted by who asks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Min

from gateway.models import Item
from gateway.turns import in_turn
from monitoring.models import Quarter, Summed
from monitoring.quarters import QUARTER, quarter_of, quarters
from monitoring.selectors.arrived import MOST_BEHIND, key_of, moved_since
from monitoring.selectors.counted import groups_in, scores_in
from monitoring.selectors.labelled import cells_in
from policies.decide import Route
from policies.models import Line

# Quarters that are summed up for the first time in one run: a line that has lived without sums gets a day's in a minute.
MOST = 16
# A run that took longer than this is followed by a rest of REST times as long: a quarter of a line with hundreds of photos a
# second takes seconds to count, and people who judge its items have it counted again every time. No rest is so long that such a
# line would be MOST_BEHIND after it, and its sums begun anew.
LONG, REST, LONGEST_REST = timedelta(seconds=1), 9, timedelta(minutes=1)


def sum_up(line: Line, *, event: int, now: datetime) -> int:
    """Bring the line's sums up to `event`, up to which the table of events is complete, and return how many were made."""
    summed = Summed.objects.filter(line=line).first() or _begun(line, event, now)
    if summed.rest_until is not None and now < summed.rest_until <= now + LONGEST_REST:
        return 0
    if event - summed.event > MOST_BEHIND:
        # To find what moved in so long a time would take longer than to count again.
        Summed.objects.filter(line=line, event=summed.event).delete()
        summed = _begun(line, event, now)
    # Clocks differ between machines, and go back: what is summed up stays so.
    until = max(summed.until, min(quarter_of(now), summed.until + MOST * QUARTER))
    fresh = list(quarters(summed.until, until))
    since = min(summed.since, max(_first(line, summed.since), summed.since - (MOST - len(fresh)) * QUARTER))
    stale = {*moved_since(line, summed.event, summed.until), *fresh, *quarters(since, summed.since)}
    if not stale and event == summed.event:
        return 0
    # Counted before the transaction, in which nobody else could write on SQLite: what moves meanwhile has a later event.
    found = [quarter(line, start) for start in sorted(stale) if start >= since]
    with in_turn():
        mine = Summed.objects.filter(line=line, since=summed.since, until=summed.until, event=summed.event)
        if mine.update(since=since, until=until, event=event) != 1:
            return 0  # another worker was faster
        Quarter.objects.filter(line=line, start__in=stale).delete()
        Quarter.objects.bulk_create(row for row in found if row.arrived)
    return len(found)


def rest(line: Line, took: timedelta, now: datetime) -> None:
    """After a run that took long, let the line's sums be, so that the worker has time for others."""
    if took > LONG:
        Summed.objects.filter(line=line).update(rest_until=now + min(REST * took, LONGEST_REST))


def quarter(line: Line, start: datetime) -> Quarter:
    """Return the unsaved sums of a quarter, with three queries at most."""
    span = (start, start + QUARTER)
    groups = [group for _, group in groups_in(line, span)]
    scores: dict[str, dict[str, list[int]]] = {}
    for version, answer, position, count in scores_in(line, span) if groups else ():
        scores.setdefault(key_of(version), {}).setdefault(answer, []).extend((position, count))
    return Quarter(
        line=line,
        start=start,
        arrived=sum(group[-1] for group in groups),
        automated=sum(count for _, route, _, _, count in groups if route == Route.AUTOMATE),
        groups=groups,
        scores=scores,
        cells=cells_in(line, span) if groups else [],
    )


def _begun(line: Line, event: int, now: datetime) -> Summed:
    """Begin with now, from where sums go on in both directions."""
    start = quarter_of(now)
    return Summed.objects.get_or_create(line=line, defaults={"since": start, "until": start, "event": event})[0]


def _first(line: Line, otherwise: datetime) -> datetime:
    """Return the quarter in which the line's first item arrived."""
    first = Item.objects.filter(line=line).aggregate(at=Min("received_at"))["at"]
    return quarter_of(first) if first else otherwise
