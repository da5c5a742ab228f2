from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from monitoring.windows import WINDOWS, Window, window_of

NOW = datetime(2026, 3, 4, 10, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.key)
def test_the_buckets_cover_the_window_and_hold_now(window: Window) -> None:
    edges = window.edges(NOW)
    assert len(edges) == window.span / window.bucket + 1
    assert {after - before for before, after in pairwise(edges)} == {window.bucket}
    assert edges[-2] <= NOW < edges[-1]


def test_buckets_of_a_day_are_whole_hours() -> None:
    edges = window_of("24h").edges(NOW)
    assert edges[0] == datetime(2026, 3, 3, 11, tzinfo=UTC)
    assert edges[-1] == datetime(2026, 3, 4, 11, tzinfo=UTC)


def test_an_edge_belongs_to_the_bucket_that_it_begins() -> None:
    assert window_of("24h").edges(datetime(2026, 3, 4, 10, tzinfo=UTC))[-2] == datetime(2026, 3, 4, 10, tzinfo=UTC)


def test_an_unknown_key_is_the_shortest_window() -> None:
    assert window_of("a year").span == timedelta(hours=24)
