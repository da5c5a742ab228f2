"""Which part of a window is read from sums and which is counted: together all of it, nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitoring.quarters import QUARTER, Span, quarter_from, quarter_of, quarters, split

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

moments = st.integers(-300, 300).map(lambda minutes: NOON + minutes * MINUTE)
starts = st.integers(-20, 20).map(lambda number: NOON + number * QUARTER)


@given(begin=moments, end=moments, since=starts, until=starts, moved=st.sets(starts, max_size=6))
def test_every_minute_is_in_one_part(
    begin: datetime, end: datetime, since: datetime, until: datetime, moved: set[datetime]
) -> None:
    begin, end = sorted((begin, end))
    read, counted = split((begin, end), (since, until), moved)
    minutes = [begin + number * MINUTE for number in range(round((end - begin) / MINUTE))]
    for minute in minutes:
        by_sum = read is not None and read[0] <= minute < read[1] and quarter_of(minute) not in moved
        assert by_sum + sum(start <= minute < stop for start, stop in counted) == 1
        assert not by_sum or since <= quarter_of(minute) < until
    if read is not None:
        assert begin <= read[0] < read[1] <= end and quarter_of(read[0]) == read[0] and quarter_of(read[1]) == read[1]
    assert all(before[1] < after[0] for before, after in pairwise(counted)), "apart and in order"


def test_without_sums_all_is_counted() -> None:
    span: Span = (NOON, NOON + 3 * QUARTER)
    assert split(span, None, ()) == (None, [span])
    assert split(span, (NOON - QUARTER, NOON), ()) == (None, [span])


def test_an_hour_has_four_quarters() -> None:
    assert list(quarters(NOON, NOON + timedelta(hours=1))) == [NOON + minutes * MINUTE for minutes in (0, 15, 30, 45)]
    assert quarter_of(NOON + timedelta(minutes=29, seconds=59)) == NOON + QUARTER
    assert (quarter_from(NOON), quarter_from(NOON + timedelta(microseconds=1))) == (NOON, NOON + QUARTER)
