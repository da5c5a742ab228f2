"""Two managers turn the dial at the same moment: one wins, the other learns it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policies.changes import Draft, active_policy, change_policy, draft_of, stop_automation
from policies.errors import StalePolicy
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.races import race

pytestmark = pytest.mark.usefixtures("file_database")


def test_one_of_many_changes_wins_and_the_others_are_stale(line: Line, now: datetime) -> None:
    draft = draft_of(active_policy(line))

    def change(audit_rate: float) -> PolicyVersion:
        return change_policy(line, replace(draft, audit_rate=audit_rate), expected=1, by=None, reason="race", now=now)

    results = race(*(lambda rate=rate: change(rate) for rate in (0.1, 0.2, 0.3, 0.4)))

    winners = [one for one in results if isinstance(one, PolicyVersion)]
    assert len(winners) == 1
    assert all(isinstance(one, StalePolicy) for one in results if one is not winners[0]), results
    assert active_policy(line).audit_rate == winners[0].audit_rate
    assert list(PolicyVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_the_red_switch_is_never_too_late(line: Line, now: datetime) -> None:
    """Whoever changes the dial meanwhile, automation is off when the switch has answered."""
    current = change_policy(
        line, replace(draft_of(active_policy(line)), mode=Mode.FULL), expected=1, by=None, reason="up", now=now
    )
    draft = replace(draft_of(current), mode=Mode.PARTIAL)

    def change() -> PolicyVersion:
        return change_policy(line, draft, expected=2, by=None, reason="race", now=now)

    def stop() -> PolicyVersion:
        return stop_automation(line, by=None, reason="stop", now=now)

    changed, stopped = race(change, stop)

    assert stopped.mode == Mode.HUMAN_ONLY
    assert active_policy(line).mode == Mode.HUMAN_ONLY
    assert isinstance(changed, PolicyVersion | StalePolicy)


def test_a_stop_that_was_asked_for_before_the_change_it_stops_still_stops(line: Line, now: datetime) -> None:
    """Its clock was read first, and the change came into force in between."""
    later = now + timedelta(seconds=5)
    change_policy(line, Draft(Mode.FULL), expected=1, by=None, reason="up", now=later)
    stopped = stop_automation(line, by=None, reason="red switch", now=now)
    assert (stopped.mode, active_policy(line).number) == (Mode.HUMAN_ONLY, 3)
