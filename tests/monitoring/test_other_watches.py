"""The guardrails besides the audited errors: each fires, and each keeps still where it should."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User

from gateway import deployments
from gateway.models import Item, Role
from monitoring import drift
from monitoring.alarms import see
from monitoring.guarding import watch
from monitoring.guardrails import DEFAULTS, defaults, set_guardrails
from monitoring.models import Action, Alarm, Guardrail, Watch
from monitoring.selectors import drifting
from policies.certify.binomial import lower_bound
from policies.changes import active_policy
from policies.models import Certification, Line, PolicyVersion
from policies.modes import Mode
from tests.conftest import version
from tests.monitoring import rows

Dial = Callable[..., PolicyVersion]


def rail(line: Line, watched: Watch, action: str = "notify", level: float = 0.05) -> None:
    """Set one of the line's guardrails."""
    defaults(line)
    Guardrail.objects.filter(line=line, watch=watched).update(action=action, level=level)


def arrive(line: Line, at: datetime, count: int, **columns: object) -> None:
    """Items that people decide."""
    for _ in range(count):
        rows.item(line, at, **({"received_at": at} | columns))


def test_a_new_line_has_its_guardrails_once(line: Line) -> None:
    assert list(defaults(line)) == list(DEFAULTS)
    made = set(Guardrail.objects.values_list("pk", flat=True))
    assert {row.pk for row in defaults(line).values()} == made
    assert defaults(line)[Watch.DRIFT].action == Action.DEMOTE


# --- The model gives no answer ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [8, 9, 10, 11, 12, 13, 14])
def test_unavailable_fires_where_more_than_the_level_is_beyond_chance(
    line: Line, dial: Dial, now: datetime, missing: int
) -> None:
    dial(Mode.ASSIST)
    rail(line, Watch.UNAVAILABLE, level=0.05)
    arrive(line, now, 60 - missing, reason="assist")
    arrive(line, now, missing, reason="model_unavailable")
    raised = watch(line, now=now)
    assert bool(raised) == bool(lower_bound(missing, 60, 0.001) > 0.05)
    # Both sides of the border are among the cases.
    assert bool(raised) == (missing >= 10)


def test_unavailable_looks_at_the_last_200_arrivals_of_now(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.ASSIST)
    arrive(line, now, 40, reason="model_unavailable")
    arrive(line, now, 40, reason="human_only", decided_by="import", answer="ok", state="decided")
    arrive(line, now, 200, reason="assist")
    assert watch(line, now=now) == []


def test_where_no_model_runs_none_is_missed(line: Line, now: datetime) -> None:
    arrive(line, now, 50, reason="model_unavailable")
    assert watch(line, now=now) == []


def test_an_alarm_that_only_tells_leaves_the_dial(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.PARTIAL)
    arrive(line, now, 30, reason="model_unavailable")
    (raised,) = watch(line, now=now)
    assert (raised.action, raised.demoted_to, active_policy(line).mode) == ("notify", None, "partial")
    assert raised.evidence["words"] == "no answer for 30 of the last 30 items, level 5 %"


def test_an_alarm_set_to_demote_turns_it_down(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL)
    rail(line, Watch.UNAVAILABLE, "demote")
    arrive(line, now, 30, reason="model_unavailable")
    (raised,) = watch(line, now=now)
    assert (raised.action, active_policy(line).mode) == ("demote", "partial")
    # The same items are not counted again, and new ones turn it down once more.
    assert watch(line, now=now + timedelta(seconds=5)) == []
    later = now + timedelta(minutes=1)
    arrive(line, later, 30, reason="model_unavailable")
    assert len(watch(line, now=later)) == 1
    assert active_policy(line).mode == "assist"
    # Below, there is nothing left to turn down.
    last = now + timedelta(minutes=2)
    arrive(line, last, 30, reason="model_unavailable")
    assert watch(line, now=last) == []
    assert active_policy(line).mode == "assist"


def test_what_goes_on_is_told_again_after_it_was_seen_and_not_before(line: Line, dial: Dial, max_: User, now: datetime) -> None:
    dial(Mode.ASSIST)
    arrive(line, now, 30, reason="model_unavailable")
    (first,) = watch(line, now=now)
    soon, later = now + timedelta(minutes=5), now + timedelta(hours=2)
    arrive(line, soon, 30, reason="model_unavailable")
    assert watch(line, now=soon) == []
    assert watch(line, now=later) == []
    see(first, by=max_, now=soon)
    assert watch(line, now=soon) == []
    assert len(watch(line, now=later)) == 1


# --- The queue -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "fires"), [(4, False), (5, True)])
def test_a_late_queue_is_told(line: Line, now: datetime, late: int, fires: bool) -> None:
    rail(line, Watch.QUEUE, level=0.25)
    for number in range(16):
        due = now - timedelta(seconds=1) if number < late else now + timedelta(hours=1)
        rows.referral(rows.item(line, now), now, due_at=due, created_at=now)
    assert bool(watch(line, now=now)) is fires
    assert Item.objects.exclude(state="referred").count() == 0


def test_a_long_queue_that_is_in_time_is_none(line: Line, now: datetime) -> None:
    for number in range(30):
        due = now - timedelta(seconds=1) if number < 7 else None
        rows.referral(rows.item(line, now), now, due_at=due, created_at=now)
    assert watch(line, now=now) == []


# --- Agreement in shadow ---------------------------------------------------------------------------------------------------


def shadowed(line: Line, now: datetime, right: int, wrong: int, **columns: object) -> None:
    """Items that people judged blind and the model would have decided right or wrong."""
    for number in range(right + wrong):
        item = rows.item(line, now, received_at=now, **({"reason": "shadow"} | columns))
        rows.prediction(item, "ok" if number < right else "dent", 0.9, None)
        rows.label(item, "ok", now)


@pytest.mark.parametrize(("wrong", "fires"), [(6, False), (16, False), (30, True)])
def test_agreement_fires_where_it_is_surely_too_low(line: Line, dial: Dial, now: datetime, wrong: int, fires: bool) -> None:
    dial(Mode.SHADOW)
    rail(line, Watch.AGREEMENT, level=0.8)
    shadowed(line, now, 60 - wrong, wrong)
    assert bool(watch(line, now=now)) is fires
    assert fires == bool(1 - lower_bound(wrong, 60, 0.001) < 0.8)


def test_agreement_is_watched_in_shadow_alone(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.ASSIST)
    shadowed(line, now, 0, 60)
    assert watch(line, now=now) == []


# --- Drift -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference of 60 and windows of 30 say the same as 800 and 200, in less time."""
    monkeypatch.setattr(drifting, "REFERENCE", 60)
    monkeypatch.setattr(drifting, "WINDOW", 30)


def photographed(line: Line, start: datetime, count: int, seed: int, darker: float = 1.0) -> datetime:
    """Items a second apart, from a camera at `darker` times its light; return when the last came."""
    light = np.random.default_rng(seed).normal(120, 10, count) * darker
    for number, brightness in enumerate(light):
        at = start + timedelta(seconds=number)
        item = rows.item(line, at, received_at=at, reason="assist", brightness=float(brightness), contrast=40.0, sharpness=5.0)
        rows.prediction(item, "ok", 0.9, None, probabilities={"ok": 0.9, "dent": 0.1})
    return start + timedelta(seconds=count - 1)


@pytest.fixture
def served(line: Line, dial: Dial, now: datetime) -> Line:
    """The line in partial with a champion."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    deployments.deploy(line, version(), Role.CHAMPION, by=None, reason="test", now=now)
    return line


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("darker", "fires"), [(1.0, False), (0.7, True)])
def test_a_darkened_camera_turns_it_down(served: Line, now: datetime, darker: float, fires: bool) -> None:
    last = photographed(served, now, 60, seed=1)
    last = photographed(served, last + timedelta(seconds=1), 40, seed=2, darker=darker)
    raised = watch(served, now=last + timedelta(seconds=40))
    assert bool(raised) is fires
    assert (active_policy(served).mode == "assist") is fires
    if fires:
        (alarm,) = raised
        assert [row["feature"] for row in alarm.evidence["features"] if row["drifts"]] == ["brightness"]
        assert "unlike" in alarm.evidence["words"]


@pytest.mark.usefixtures("small")
def test_each_look_is_stricter_so_that_all_of_them_share_the_level(served: Line, now: datetime) -> None:
    last = photographed(served, now, 60, seed=1)
    photographed(served, last + timedelta(seconds=1), 40, seed=2)
    champion = served.deployments.get()
    for slots in (2, 7):
        reading = drifting.drift(served, champion, "ok", 0.01, now, last + slots * drifting.SLOT)
        assert reading.more["look"] == slots
        expected = pytest.approx(0.01 / 4 / slots / (slots + 1))
        assert all(row["level"] == expected for row in reading.more["features"])
    # Within a slot it is the same look at the same window.
    later = drifting.drift(served, champion, "ok", 0.01, now, last + 7 * drifting.SLOT + timedelta(seconds=20))
    assert later == reading


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [59, 89])
def test_too_few_items_say_nothing(served: Line, now: datetime, count: int) -> None:
    last = photographed(served, now, min(count, 60), seed=1)
    photographed(served, last + timedelta(seconds=1), count - min(count, 60), seed=2, darker=0.1)
    assert watch(served, now=last + timedelta(minutes=5)) == []


@pytest.mark.usefixtures("small")
def test_a_certification_makes_what_came_before_it_the_reference(served: Line, now: datetime) -> None:
    last = photographed(served, now, 60, seed=1)
    last = photographed(served, last + timedelta(seconds=1), 60, seed=2, darker=0.7)
    Certification.objects.create(
        line=served,
        model_name="any",
        weights_digest="0" * 64,
        delta=0.05,
        thresholds={},
        audits=0,
        data_digest="",
        created_at=last,
    )
    last = photographed(served, last + timedelta(seconds=1), 40, seed=3, darker=0.7)
    assert watch(served, now=last + timedelta(minutes=1)) == []
    last = photographed(served, last + timedelta(seconds=1), 40, seed=4, darker=1.0)
    assert len(watch(served, now=last + timedelta(minutes=1))) == 1


@pytest.mark.usefixtures("small")
def test_drift_begins_anew_after_its_alarm(served: Line, now: datetime) -> None:
    last = photographed(served, now, 60, seed=1)
    last = photographed(served, last + timedelta(seconds=1), 40, seed=2, darker=0.7)
    at = last + timedelta(seconds=40)
    assert len(watch(served, now=at)) == 1
    assert watch(served, now=at + timedelta(minutes=10)) == []
    assert Alarm.objects.count() == 1


def test_the_test_is_the_one_of_the_mathematics() -> None:
    """A score that moves is seen as a feature; what an item lacks is left out."""
    before = [(None, 1.0, 1.0, 1.0, {"ok": value / 100}) for value in range(100)]
    now = [(None, 1.0, None, 1.0, {"ok": 0.5 + value / 200}) for value in range(100)]
    features = drifting._features(before, "ok"), drifting._features(now, "ok")  # type: ignore[arg-type]
    found = {test.feature: test for test in drift.drifts(*features)}
    assert found["score"].drifts
    assert not found["brightness"].drifts
    assert found["contrast"].too_small


# --- Setting them ----------------------------------------------------------------------------------------------------------


def test_setting_leaves_an_event_and_only_where_something_differs(line: Line, max_: User, now: datetime) -> None:
    same = {watched: DEFAULTS[watched] for watched in DEFAULTS}
    assert not set_guardrails(line, same, alpha=0.05, by=max_, now=now)
    changed = same | {Watch.QUEUE: type(DEFAULTS[Watch.QUEUE])(Action.DEMOTE, 0.4)}
    assert set_guardrails(line, changed, alpha=0.05, by=max_, now=now)
    assert (defaults(line)[Watch.QUEUE].action, defaults(line)[Watch.QUEUE].level) == ("demote", 0.4)
    told = line.events.get(kind="guardrail.changed")
    assert told.data == {"from": {"queue": ["notify", 0.25]}, "to": {"queue": ["demote", 0.4]}}
    assert set_guardrails(line, changed, alpha=0.1, by=max_, now=now)
    assert Line.objects.get().alpha == 0.1
