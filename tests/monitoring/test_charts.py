from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.charts.flow_bar import WIDTH, segments
from monitoring.charts.histogram import LEAST_HEIGHT, histogram
from monitoring.charts.reliability import reliability
from monitoring.charts.scale import Scale, round_up
from monitoring.charts.trend import trend
from monitoring.charts.whisker import common_top, whisker
from monitoring.flow import Flow
from monitoring.intervals import share
from monitoring.what_if import class_scores

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


def test_a_scale_runs_both_ways() -> None:
    assert Scale(0, 1, 200, 10)(0.5) == 105
    assert Scale(3, 3, 5, 9)(3) == 5


@pytest.mark.parametrize(("value", "top"), [(0, 1), (0.03, 0.05), (0.2, 0.2), (7, 10), (10, 10), (201, 500)])
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert round_up(value) == pytest.approx(top)


def test_a_bucket_of_nothing_leaves_a_gap_in_the_trend() -> None:
    counts = [(1, 2), (2, 2), (0, 0), (3, 4)]
    drawn = trend([(NOW + timedelta(hours=hour), share(*pair)) for hour, pair in enumerate(counts)], hours=True)
    assert len(drawn.dots) == len(drawn.rows) == 3
    assert (len(drawn.lines), len(drawn.bands)) == (2, 1)
    assert drawn.dots[1].y == 10  # all of them: at the top


def test_the_flow_bar_is_filled() -> None:
    parts = segments(Flow(model_passed=6, model_rejected=1, people_passed=1, people_rejected=1, waiting=1))
    assert [part.count for part in parts] == [6, 1, 2, 1, 0]
    assert sum(part.width for part in parts) == pytest.approx(WIDTH)
    assert parts[1].x == parts[0].width


def test_of_no_items_the_flow_bar_draws_nothing() -> None:
    assert {part.width for part in segments(Flow())} == {0.0}


def test_one_wrong_item_among_thousands_is_still_seen() -> None:
    scores = class_scores("ok", {("ok", 199): 5000, ("ok", 20): 1}, [], None)
    drawn = histogram(scores, 0.9)
    assert min(bar.height for bar in drawn.bars) == LEAST_HEIGHT
    assert (drawn.threshold, drawn.most, drawn.items) == (360, 5000, 5001)
    assert [row.span for row in drawn.rows] == ["10 to 15 %", "95 to 100 %"]


def test_a_whisker_ends_at_the_axis() -> None:
    drawn = whisker(share(5, 10), top=0.2)
    assert drawn.high == drawn.dot == 155
    assert whisker(share(0, 0)).dot is None
    assert common_top([share(0, 0)]) == 1.0


def test_empty_bins_of_confidence_are_left_out() -> None:
    right = {"value": 0.5, "low": 0.2, "high": 0.8, "n": 8}
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    drawn = reliability([{"confidence": 0.55, "right": right}, {"confidence": None, "right": nothing}])
    assert [(dot.n, dot.radius) for dot in drawn.dots] == [(8, 8.0)]
