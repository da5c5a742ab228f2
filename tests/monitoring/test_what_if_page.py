"""The what-if page: trying a draft, reading the curve, asking for what was tried."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from monitoring.charts.trade import trade
from monitoring.replay import Past, Trial, replay
from monitoring.threshold_curve import threshold_curve
from monitoring.trials import trial
from policies.changes import Draft, active_policy
from policies.models import ChangeRequest, Line, PolicyVersion
from policies.modes import Mode
from policies.promises import state_limits
from tests.monitoring import rows
from tests.monitoring.conftest import more, version_in_service

PATH = "/lines/phones/what-if/"
# Session, user and roles are 3.
QUERIES = 3 + 13
Dial = Callable[..., PolicyVersion]


def values(**changes: Any) -> dict[str, Any]:
    """What the page's form sends for partial at 80 %, with changes; None leaves a field out."""
    form = {
        "mode": "partial",
        "audit_percent": "10",
        "overlap": "1",
        "due_minutes": "0",
        "fail_safe": "hold",
        "alone-ok": "on",
        "threshold-ok": "80",
    }
    return {key: value for key, value in (form | changes).items() if value is not None}


def asked(**changes: Any) -> dict[str, Any]:
    """What the page sends to ask."""
    return values(**({"expected": "2", "reason": "The clear cases"} | changes))


def curve_of(page: str) -> dict[str, Any]:
    """What the page brought for its sliders."""
    found = re.search(r'<script id="curve" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_trying_changes_nothing_and_tells_the_difference(busy: Line, manager: Client) -> None:
    page = manager.get(PATH, values()).text
    assert "Threshold of Ok 90 % → 80 %" in page
    assert 'name="threshold-ok" value="80"' in page, "what is asked for is what was tried"
    assert (active_policy(busy).number, ChangeRequest.objects.count()) == (2, 0)


def test_without_a_draft_there_is_nothing_to_ask_for(busy: Line, manager: Client) -> None:
    page = manager.get(PATH).text
    assert "The draft says what is in force already" in page
    assert "data-ask" not in page


def test_the_flipped_items_are_shown_with_where_they_would_go(busy: Line, manager: Client, now: datetime) -> None:
    turned = rows.item(busy, now, reason="uncertain", external_id="SN-turned")
    rows.prediction(turned, "ok", 0.85, version_in_service(busy))
    page = manager.get(PATH, values()).text
    assert "SN-turned" in page
    assert f"/items/{turned.pk}/" in page
    assert "85 % sure" in page


def test_who_has_still_to_judge_an_item_blind_is_not_told(
    busy: Line, login: Callable[[User], Client], max_: User, ines: User, now: datetime
) -> None:
    max_.groups.add(*ines.groups.all())
    turned = rows.item(busy, now, reason="audit", in_audit=True, external_id="SN-blind")
    rows.prediction(turned, "ok", 0.85, version_in_service(busy))
    rows.referral(turned, now, blind=True)
    page = login(max_).get(PATH, values()).text
    assert "SN-blind" not in page
    assert "You have still to judge these" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "autopilot"}, "autopilot"),
        ({"threshold-ok": "101"}, "100"),
        ({"threshold-ok": None}, "from how many per cent"),
        ({"audit_percent": "x"}, "number"),
        ({"fail_safe": "ok"}, "must not pass"),
    ],
)
def test_a_draft_that_cannot_be_is_told_so(busy: Line, manager: Client, changes: dict[str, Any], words: str) -> None:
    response = manager.get(PATH, values(**changes))
    assert response.status_code == 422
    assert words in response.text


def test_a_line_without_a_past_says_what_to_do(line: Line, manager: Client) -> None:
    page = manager.get(PATH, values()).text
    assert "There is no past to try it on yet" in page
    assert "No model is in service" in page


def test_asking_where_nobody_has_to_agree_puts_it_into_force(busy: Line, manager: Client, max_: User) -> None:
    response = manager.post(f"{PATH}ask/", asked())
    request = ChangeRequest.objects.get()
    assert (response.status_code, response.headers["Location"]) == (302, f"/requests/{request.pk}/")
    policy = active_policy(busy)
    assert (policy.number, policy.thresholds, policy.created_by) == (3, {"ok": 0.8}, max_)


def test_asking_freezes_what_was_found(busy: Line, manager: Client) -> None:
    Line.objects.update(approvals=1)
    page = manager.post(f"{PATH}ask/", asked(), follow=True).text
    request = ChangeRequest.objects.get()
    assert (request.state, request.reason, active_policy(busy).number) == ("open", "The clear cases", 2)
    assert "Nothing has changed yet" in page
    now = timezone.now()
    fresh = trial(busy, Draft(Mode.PARTIAL, {"ok": 0.8}, 0.1), now=now).evidence
    varying = {"to", "hours", "from"}
    assert {key for key, value in fresh.items() if request.evidence[key] != value} <= varying | {"present", "draft"}
    assert request.evidence["draft"]["automated_share"] == fresh["draft"]["automated_share"]


def test_asking_for_later(busy: Line, manager: Client) -> None:
    at = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    form = asked(apply_at=f"{at:%Y-%m-%dT%H:%M}", expires_at=f"{at + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    manager.post(f"{PATH}ask/", form)
    request = ChangeRequest.objects.get()
    assert (request.state, request.apply_at, request.expires_at) == ("approved", at, at + timedelta(hours=2))
    assert active_policy(busy).number == 2


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"reason": ""}, 422, "Say why"),
        ({"expected": "1"}, 409, "no longer in force"),
        ({"threshold-ok": "90"}, 422, "says the same already"),
        ({"fail_safe": "ok"}, 422, "must not pass"),
        ({"apply_at": "tomorrow"}, 422, "not a time"),
        ({"apply_at": "2020-01-01T10:00"}, 422, "planned for the future"),
        ({"expires_at": "2020-01-01T10:00"}, 422, "planned for the future"),
    ],
)
def test_a_request_that_cannot_be_is_none(
    busy: Line, manager: Client, changes: dict[str, Any], status: int, words: str
) -> None:
    response = manager.post(f"{PATH}ask/", asked(**changes))
    assert response.status_code == status
    assert words in response.text
    assert not ChangeRequest.objects.exists()


def test_the_page_asks_as_often_however_much_there_is(
    busy: Line, manager: Client, ines: User, now: datetime, django_assert_num_queries: Callable[[int], Any]
) -> None:
    state_limits(busy, {("ok", "escape"): 0.01})
    more(busy, ines, now)
    with django_assert_num_queries(QUERIES):
        manager.get(PATH, values())
    for _ in range(3):
        more(busy, ines, now)
    with django_assert_num_queries(QUERIES):
        manager.get(PATH, values())


def random_past(seed: int, n: int = 400) -> Past:
    generator = np.random.default_rng(seed)
    said = generator.integers(0, 3, n)
    truth = generator.integers(-1, 3, n)
    return Past(said, generator.uniform(1 / 3, 1, n), generator.uniform(0, 1, n), truth, hours=10.0)


def test_the_sliders_read_what_the_replay_says(busy: Line, manager: Client, ines: User, now: datetime) -> None:
    """At a threshold of the grid the counts that the page brings give exactly the replay's figures."""
    for _ in range(6):
        more(busy, ines, now)
    data = curve_of(manager.get(PATH, values()).text)
    past = trial(busy, None, now=timezone.now()).past
    for place, threshold in enumerate(data["thresholds"]):
        found = replay(past, Trial(Mode.PARTIAL, (threshold, None, threshold), 0.1), past.score)
        assert data["decided"]["ok"][place] + data["decided"]["dent"][place] == (found.decided >= 0).sum()
        assert (data["audited"][place], data["wrong"][place]) == (found.escapes.n, found.escapes.k)
        rejected = data["rejected"]["ok"][place] + data["rejected"]["dent"][place]
        assert (rejected, data["good"]) == (found.overkill.k, found.overkill.n)
        if found.escapes.rate:
            assert data["high"][place] == pytest.approx(found.escapes.rate.high, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_drawing_holds_all_that_it_speaks_of(seed: int) -> None:
    past = random_past(seed)
    curve = threshold_curve(past, 3)
    found = replay(past, Trial(Mode.PARTIAL, (0.6, 0.6, 0.6), 0.1), past.score)
    rate = found.escapes.rate
    assert rate is not None
    column = {
        "automated_share": found.automated_share,
        "escapes": {"rate": {"value": rate.value, "low": rate.low, "high": rate.high}},
    }
    chart = trade(curve, {"present": column}, 0.01)
    spots = [tuple(map(float, spot.split(","))) for spot in f"{chart.band} {chart.line}".split()]
    assert all(chart.left <= x <= chart.right and chart.upper <= y <= chart.bottom for x, y in spots)
    point = chart.points[0]
    assert point.x == pytest.approx(chart.left + found.automated_share * (chart.right - chart.left), abs=0.01)
    assert point.y == pytest.approx(chart.bottom - rate.value / chart.top * (chart.bottom - chart.upper), abs=0.01)
    assert chart.limit is not None and chart.upper < chart.limit < chart.bottom


def test_a_policy_that_decides_nothing_stands_at_the_origin() -> None:
    past = random_past(1)
    column = {"automated_share": 0.0, "escapes": {"rate": None}}
    chart = trade(threshold_curve(past, 3), {"present": column}, None)
    point = chart.points[0]
    assert (point.x, point.y, point.low, chart.limit) == (chart.left, chart.bottom, None, None)
