"""The planner's drawing: curves that fall, the chosen rate on them, nothing for what never comes."""

from __future__ import annotations

import pytest

from monitoring.charts.plan import plan_chart, rates_to_draw
from monitoring.planner import Plan


def plans(rates: list[float], certificate: float | None, notice: float | None) -> list[Plan]:
    """Plans whose days are so many audits over the rate."""
    return [
        Plan(rate, rate, certificate, *(None if days is None else days / rate for days in (certificate, notice)))
        for rate in rates
    ]


@pytest.mark.parametrize(("chosen", "top"), [(0.001, 0.1), (0.04, 0.1), (0.1, 0.2), (0.3, 1.0), (1.0, 1.0)])
def test_the_axis_reaches_beyond_the_chosen_rate(chosen: float, top: float) -> None:
    rates = rates_to_draw(chosen)
    assert rates[-1] == top
    assert 0 < rates[0] < rates[-1] / 50


def test_the_marks_lie_on_their_curves() -> None:
    rates = rates_to_draw(0.1)
    (chosen,) = plans([0.1], 2.0, 1.0)
    chart = plan_chart(plans(rates, 2.0, 1.0), chosen)
    assert [line.key for line in chart.lines] == ["certificate", "notice"]
    for line in chart.lines:
        assert f"{line.x},{line.y}" in line.points.split()
        heights = [float(point.partition(",")[2]) for point in line.points.split()]
        # Down the page: more audits, fewer days.
        assert heights == sorted(heights)
        assert min(heights) >= chart.top
    assert chart.lines[0].y < chart.lines[1].y
    assert "20.0 at 10 %" in chart.lines[0].title


def test_what_never_comes_is_not_drawn() -> None:
    rates = rates_to_draw(0.1)
    (chosen,) = plans([0.1], None, 1.0)
    assert [line.key for line in plan_chart(plans(rates, None, 1.0), chosen).lines] == ["notice"]
    (never,) = plans([0.1], None, None)
    assert plan_chart(plans(rates, None, None), never).lines == ()
