"""What a line promised at an earlier moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.change_control import state_limits
from monitoring.selectors.limit_history import limits_at
from policies.models import Line

HOUR = timedelta(hours=1)


def stated(line: Line, at: datetime) -> list[tuple[str, str, float]]:
    return [(limit.label_class.key, limit.form, limit.epsilon) for limit in limits_at(line, at)]


def test_each_moment_has_the_limits_of_its_time(line: Line, now: datetime, django_assert_num_queries: Any) -> None:
    first = {("ok", "escape"): 0.01}
    second = {("ok", "overkill"): 0.02, ("scratch", "escape"): 0.1, ("ok", "escape"): 0.005}
    state_limits(line, first, delta=0.05, by=None, now=now)
    state_limits(line, second, delta=0.1, by=None, now=now + HOUR)
    assert stated(line, now) == []
    assert stated(line, now + HOUR) == [("ok", "escape", 0.01)], "what is stated at a moment holds after it"
    present = [("ok", "escape", 0.005), ("ok", "overkill", 0.02), ("scratch", "escape", 0.1)]
    assert stated(line, now + HOUR + timedelta(microseconds=1)) == present
    for at in (now, now + 2 * HOUR):
        with django_assert_num_queries(2):
            limits_at(line, at)


@pytest.mark.parametrize("days", [0, 400])
def test_a_line_that_never_stated_any_has_none(line: Line, now: datetime, days: int) -> None:
    assert stated(line, now + timedelta(days=days)) == []
