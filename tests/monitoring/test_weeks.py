"""Weeks of reports: ISO numbers, and Monday 00:00 on the clock of the zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitoring.weeks import week_at, week_of


def test_a_week_runs_from_monday_to_monday() -> None:
    week = week_of("2026-W47", UTC)
    assert week is not None
    assert (week.start, week.end) == (datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert (week.key, week.previous.key, week.next.key) == ("2026-W47", "2026-W46", "2026-W48")


def test_the_turn_of_the_year_belongs_to_one_week() -> None:
    week = week_at(datetime(2027, 1, 3, 23, 59, tzinfo=UTC), UTC)
    assert (week.key, week.next.key) == ("2026-W53", "2027-W01")


@pytest.mark.parametrize(("hour", "key"), [(22, "2026-W47"), (23, "2026-W48")])
def test_midnight_is_that_of_the_zone(hour: int, key: str) -> None:
    assert week_at(datetime(2026, 11, 22, hour, tzinfo=UTC), ZoneInfo("Europe/Berlin")).key == key


def test_a_week_in_which_the_clock_changes_ends_at_midnight() -> None:
    week = week_of("2026-W43", ZoneInfo("Europe/Berlin"))
    assert week is not None
    assert (week.end.astimezone(UTC) - week.start.astimezone(UTC)).total_seconds() == 169 * 3600


@pytest.mark.parametrize("key", ["2025-W53", "2026-W00", "2026-W54", "2026-W4", "2026-47", "1999-W01", "2026-W471", "x"])
def test_what_is_no_week_is_none(key: str) -> None:
    assert week_of(key, UTC) is None
