"""ISO weeks as reports have them: from Monday 00:00 to the next, where the line stands. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

# Years that a report may be asked for.
_KEY = re.compile(r"(20[0-9]{2})-W([0-9]{2})")
DAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """One week. `start` counts, `end` is the first moment of the next week; both know their time zone."""

    monday: date
    zone: tzinfo

    @property
    def key(self) -> str:
        """The week as addresses name it: 2026-W47."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    @property
    def start(self) -> datetime:
        """Monday 00:00 on the clock of the zone."""
        return datetime.combine(self.monday, time(), tzinfo=self.zone)

    @property
    def end(self) -> datetime:
        """Monday 00:00 of the next week: where a clock changes in between it is not 168 hours later."""
        return self.next.start

    @property
    def sunday(self) -> date:
        """The last day."""
        return self.monday + timedelta(days=6)

    @property
    def previous(self) -> Week:
        """The week before."""
        return Week(self.monday - DAYS, self.zone)

    @property
    def next(self) -> Week:
        """The week after."""
        return Week(self.monday + DAYS, self.zone)


def week_at(moment: datetime, zone: tzinfo) -> Week:
    """Return the week that the moment lies in."""
    day = moment.astimezone(zone).date()
    return Week(day - timedelta(days=day.weekday()), zone)


def week_of(key: str, zone: tzinfo) -> Week | None:
    """Return the week of that key; None where there is no such week."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    try:
        return Week(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
    except ValueError:  # the year has no such week
        return None
