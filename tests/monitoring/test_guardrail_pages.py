"""The pages of guardrails, alarms and recalls: who may open them, what they tell, how often they ask, what they change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import deployments
from gateway.models import Event, Referral, Role
from inference.models import ModelVersion
from monitoring.guarding import watch
from monitoring.guardrails import defaults
from monitoring.models import Alarm, Recall, Watch
from monitoring.recalls import open_recalls
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.conftest import version
from tests.monitoring import rows
from tests.monitoring.guarded import audits, decided, found_wrong, limit
from tests.monitoring.test_recalls import sibling

Dial = Callable[..., PolicyVersion]
Queries = Callable[[int], Any]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def champion(line: Line, now: datetime) -> ModelVersion:
    """Who decides."""
    made = version()
    deployments.deploy(line, made, Role.CHAMPION, by=None, reason="test", now=now - timedelta(hours=1))
    return made


@pytest.fixture
def alarmed(line: Line, dial: Dial, champion: ModelVersion, now: datetime) -> Alarm:
    """The line was turned down after escapes, each of which opened a recall."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    limit(line)
    audits(line, now, [0] * 12)
    for _ in range(6):
        rows.prediction(found_wrong(line, now, version=champion), "ok", 0.95, champion)
    (raised,) = watch(line, now=now)
    open_recalls(line, now=now)
    return raised


@pytest.fixture
def recall(line: Line, alarmed: Alarm, champion: ModelVersion, now: datetime) -> Recall:
    """A recall with three siblings."""
    for score in (0.91, 0.93, 0.99):
        sibling(line, champion, now, score, minutes=1)
    return Recall.objects.order_by("id").last()  # type: ignore[return-value]


PAGES = ["/lines/phones/guardrails/", "/lines/phones/alarms/", "/alarms/{alarm}/", "/recalls/{recall}/"]
POSTS = [
    "/lines/phones/guardrails/set/",
    "/alarms/{alarm}/seen/",
    "/recalls/{recall}/send/",
    "/recalls/{recall}/dismiss/",
]


@pytest.mark.parametrize("path", PAGES)
def test_managers_alone_look(recall: Recall, manager: Client, inspector: Client, client: Client, path: str) -> None:
    where = path.format(alarm=Alarm.objects.get().pk, recall=recall.pk)
    assert manager.get(where).status_code == 200
    assert inspector.get(where).status_code == 403
    assert client.get(where).status_code == 302


@pytest.mark.parametrize("path", POSTS)
def test_managers_alone_act(recall: Recall, inspector: Client, manager: Client, path: str) -> None:
    where = path.format(alarm=Alarm.objects.get().pk, recall=recall.pk)
    assert inspector.post(where, {"count": 1, "reason": "no"}).status_code == 403
    assert manager.get(where).status_code == 405
    assert not Referral.objects.filter(reason="recall").exists()
    assert Alarm.objects.get().seen_at is None


@pytest.mark.parametrize("path", ["/alarms/999/", "/recalls/999/", "/lines/none/guardrails/"])
def test_what_is_not_there_is_404(line: Line, manager: Client, path: str) -> None:
    assert manager.get(path).status_code == 404


def test_an_alarm_tells_its_story(alarmed: Alarm, manager: Client) -> None:
    page = manager.get(f"/alarms/{alarmed.pk}/").text
    assert "The guardrail turned Phones down from Partial to AI assist: 6 escapes in 18 audits, limit 5 %." in page
    assert "33 %" in page  # 6 of 18, with its interval and n
    assert "n = 18" in page
    assert f"after audit {alarmed.evidence['alarm_at']}" in page
    assert "Policy version 3 came into force by itself" in page
    assert page.count('class="card item-card"') == 6
    assert page.count('href="/recalls/') == 6
    assert "<polyline" in page
    assert "I have seen it" in page


def test_the_banner_stays_until_somebody_has_seen_it(alarmed: Alarm, manager: Client, max_: User) -> None:
    words = "turned <strong>Phones</strong> down from Partial to AI assist"
    everywhere = ["/", "/lines/phones/", "/lines/phones/items/", "/lines/phones/policies/", "/lines/phones/guardrails/"]
    for path in [*everywhere, "/lines/phones/alarms/"]:
        assert words in manager.get(path).text, path
    page = manager.post(f"/alarms/{alarmed.pk}/seen/", follow=True).text
    assert "max has seen it" in page
    alarmed.refresh_from_db()
    assert alarmed.seen_by == max_
    assert Event.objects.get(kind="guardrail.seen").data == {"alarm": alarmed.pk}
    for path in [*everywhere, "/lines/phones/alarms/"]:
        assert words not in manager.get(path).text, path
    assert "Somebody had seen it before" in manager.post(f"/alarms/{alarmed.pk}/seen/", follow=True).text


@pytest.mark.parametrize("path", ["/", "/lines/phones/items/"])
def test_the_banner_is_for_managers(alarmed: Alarm, inspector: Client, path: str) -> None:
    page = inspector.get(path)
    assert page.status_code == 200
    assert "guardrail" not in page.text.lower()


def test_the_other_lines_have_no_banner(alarmed: Alarm, manager: Client, now: datetime) -> None:
    Line.objects.create(slug="tiles", name="Tiles", question="?", created_at=now)
    assert "guardrail turned" not in manager.get("/lines/tiles/alarms/").text


def test_other_alarms_tell_theirs(line: Line, dial: Dial, manager: Client, now: datetime) -> None:
    dial(Mode.ASSIST)
    for _ in range(30):
        rows.item(line, now, reason="model_unavailable", received_at=now)
    (raised,) = watch(line, now=now)
    page = manager.get(f"/alarms/{raised.pk}/").text
    assert "The guardrail told people: no answer for 30 of the last 30 items, level 5 %." in page
    assert "noticed something on" in manager.get("/").text
    drifted = {"feature": "brightness", "drifts": True, "distance": 0.9, "p": 1e-12, "level": 0.001, "before": 120, "now": 60}
    kept = {"words": "unlike", "features": [drifted], "n": 200, "reference": 800}
    Alarm.objects.filter(pk=raised.pk).update(watch="drift", evidence=kept)
    page = manager.get(f"/alarms/{raised.pk}/").text
    assert "below 0.01 %" in page
    assert "Photos unlike before" in page


def test_the_guardrails_show_what_they_see(alarmed: Alarm, line: Line, dial: Dial, manager: Client, now: datetime) -> None:
    page = manager.get("/lines/phones/guardrails/").text
    assert "In this mode the model decides nothing alone" in page
    assert "Too many escapes" in page
    assert "of the 800 items that it takes to know what is usual" in page
    dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    for _ in range(12):
        item = decided(line, now + MINUTE, in_audit=True)
        rows.label(item, "ok", now)
    page = manager.get("/lines/phones/guardrails/").text
    assert "Decided as Ok and is not" in page
    assert "n = 12 audited decisions for Ok" in page
    assert "<polyline" in page


def test_a_line_without_limits_says_what_a_limit_is(line: Line, manager: Client) -> None:
    page = manager.get("/lines/phones/guardrails/").text
    assert "No limit is stated" in page
    assert "No alarm so far" in page


def form(**changes: str) -> dict[str, str]:
    """What the page sends for a new line, with changes."""
    values = {"alpha": "5"}
    for watched, level, action in (
        ("unavailable", "5", "notify"),
        ("drift", "1", "demote"),
        ("queue", "25", "notify"),
        ("agreement", "80", "notify"),
    ):
        values |= {f"level-{watched}": level, f"action-{watched}": action}
    return values | changes


def test_levels_are_set(line: Line, manager: Client) -> None:
    sent = form(alpha="1", **{"level-queue": "12.5", "action-queue": "demote"})
    assert "Saved" in manager.post("/lines/phones/guardrails/set/", sent, follow=True).text
    line.refresh_from_db()
    assert line.alpha == 0.01
    assert (defaults(line)[Watch.QUEUE].level, defaults(line)[Watch.QUEUE].action) == (0.125, "demote")
    assert "Nothing was different" in manager.post("/lines/phones/guardrails/set/", sent, follow=True).text


@pytest.mark.parametrize(
    "changes",
    [
        {"alpha": "0"},
        {"alpha": "60"},
        {"level-drift": "101"},
        {"level-queue": ""},
        {"action-drift": "raise"},
        {"action-agreement": "demote"},
    ],
)
def test_what_makes_no_sense_is_refused(line: Line, manager: Client, changes: dict[str, str]) -> None:
    response = manager.post("/lines/phones/guardrails/set/", form(**changes))
    assert response.status_code == 422
    assert "Nothing was changed" in response.text
    line.refresh_from_db()
    assert line.alpha == 0.05
    assert defaults(line)[Watch.DRIFT].level == 0.01


def test_a_recall_is_sent_from_its_page(recall: Recall, manager: Client) -> None:
    page = manager.get(f"/recalls/{recall.pk}/").text
    assert page.count('class="card item-card"') == 3
    assert 'value="3"' in page
    assert "6 wrong of n = 6 audited" in page
    page = manager.post(f"/recalls/{recall.pk}/send/", {"count": "2"}, follow=True).text
    assert "2 items go to people" in page
    assert Referral.objects.filter(reason="recall", blind=True).count() == 2
    assert "0 judged, 0 of them wrong" in page
    assert "Send more to review" in page


@pytest.mark.parametrize(("where", "data"), [("send", {"count": "many"}), ("send", {}), ("dismiss", {"reason": " "})])
def test_a_recall_refuses_what_makes_no_sense(recall: Recall, manager: Client, where: str, data: dict[str, str]) -> None:
    response = manager.post(f"/recalls/{recall.pk}/{where}/", data)
    assert response.status_code == 422
    assert "Nothing was changed" in response.text
    recall.refresh_from_db()
    assert recall.state == "open"


def test_a_recall_is_dismissed_once(recall: Recall, manager: Client) -> None:
    page = manager.post(f"/recalls/{recall.pk}/dismiss/", {"reason": "A single one"}, follow=True).text
    assert "A single one" in page
    assert manager.post(f"/recalls/{recall.pk}/dismiss/", {"reason": "Again"}).status_code == 409
    assert manager.post(f"/recalls/{recall.pk}/send/", {"count": "1"}).status_code == 409


def test_recalls_wait_in_the_control_room(recall: Recall, manager: Client) -> None:
    assert f'href="/recalls/{recall.pk}/"' in manager.get("/lines/phones/").text
    Recall.objects.update(state="dismissed")
    assert "Recalls that wait" not in manager.get("/lines/phones/").text
    # On the guardrails' page they stay on record.
    assert f'href="/recalls/{recall.pk}/"' in manager.get("/lines/phones/guardrails/").text


# Session and user are 2, the roles 1; the banner 1.
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/lines/phones/guardrails/", 4 + 19),
        ("/lines/phones/alarms/", 4 + 1),
        ("/alarms/{alarm}/", 4 + 4),
        ("/recalls/{recall}/", 4 + 9),
    ],
)
def test_a_page_asks_as_often_however_much_there_is(
    recall: Recall,
    line: Line,
    champion: ModelVersion,
    manager: Client,
    now: datetime,
    django_assert_num_queries: Queries,
    path: str,
    queries: int,
) -> None:
    for _ in range(3):
        sibling(line, champion, now, minutes=1)
        audits(line, now, [0, 0])
        found_wrong(line, now, version=champion)
    open_recalls(line, now=now)
    defaults(line)
    where = path.format(alarm=Alarm.objects.get().pk, recall=recall.pk)
    with django_assert_num_queries(queries):
        assert manager.get(where).status_code == 200
