"""What a manager does with webhooks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway.webhooks import redelivery
from gateway.webhooks.endpoints import create_endpoint, note_outcome
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from gateway.webhooks.schedule import Reply
from monitoring.views import webhooks as views
from policies.models import Line

VALUES = {"name": "sorter", "url": "http://127.0.0.1:9999/hook", "line": "phones", "types": ["item.decided"]}


@pytest.fixture(autouse=True)
def at_home(settings: Any) -> None:
    """Let messages go to this machine."""
    settings.WEBHOOK_ALLOWED_NETWORKS, settings.WEBHOOK_ALLOW_HTTP = ["127.0.0.0/8"], True


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was woken; nothing is sent here."""
    found: list[object] = []
    monkeypatch.setattr(views, "wake", found.append)
    return found


@pytest.fixture
def endpoint(line: Line, now: datetime) -> Endpoint:
    """An endpoint of every line."""
    return create_endpoint("sorter", VALUES["url"], types=["item.decided"], line=None, by=None, now=now)


def test_a_secret_is_shown_once(line: Line, manager: Client) -> None:
    page = manager.post("/webhooks/new/", VALUES)
    made = Endpoint.objects.get()
    assert page.status_code == 201
    assert made.secret in page.text
    assert (made.line, made.types) == (line, ["item.decided"])
    for path in ("/webhooks/", f"/webhooks/{made.pk}/"):
        text = manager.get(path).text
        assert made.secret not in text
        assert "sorter" in text
    page = manager.post(f"/webhooks/{made.pk}/rotate/")
    assert Endpoint.objects.get().secret in page.text
    assert made.secret not in page.text
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"url": "https://10.0.0.1/"}, {"url": "ftp://example.org/"}, {"types": []}, {"types": ["nonsense"]}]
)
def test_what_is_wrong_is_said_and_changes_nothing(line: Line, manager: Client, wrong: dict[str, Any]) -> None:
    page = manager.post("/webhooks/new/", VALUES | wrong)
    assert page.status_code == 422
    assert not Endpoint.objects.exists()


def test_a_private_target_is_refused_with_its_reason(line: Line, manager: Client) -> None:
    page = manager.post("/webhooks/new/", VALUES | {"url": "https://169.254.169.254/latest/meta-data"})
    assert "private network" in page.text
    assert "https://169.254.169.254/latest/meta-data" in page.text


def test_a_test_and_what_came_of_it(endpoint: Endpoint, manager: Client, woken: list[object]) -> None:
    path = f"/webhooks/{endpoint.pk}/"
    assert "The test is on its way" in manager.post(f"{path}test/", follow=True).text
    assert woken == [views.send_webhooks]
    columns = {"state": "failed", "attempts": 9, "last_status": 500, "last_ms": 12, "last_answer": "<b>no</b>"}
    Delivery.objects.update(**columns, ended_at=endpoint.created_at, last_at=endpoint.created_at)
    text = manager.get(path).text
    assert "500 in 12 ms" in text
    assert "&lt;b&gt;no&lt;/b&gt;" in text
    delivery = Delivery.objects.get()
    assert "is sent again" in manager.post(f"/webhooks/deliveries/{delivery.pk}/again/", follow=True).text
    assert Delivery.objects.get().state == DeliveryState.PENDING


def test_the_filter_and_older_ones(endpoint: Endpoint, manager: Client, now: datetime) -> None:
    for _ in range(51):
        redelivery.send_test(endpoint, now=now)
    path = f"/webhooks/{endpoint.pk}/"
    first = manager.get(path)
    assert first.text.count("webhook-id:") == 50
    older = manager.get(path, {"before": str(first.context["page"].next)})
    assert older.text.count("webhook-id:") == 1
    assert "None like this" in manager.get(path, {"state": "failed"}).text
    for nonsense in ({"state": "nonsense"}, {"before": "nonsense"}):
        assert manager.get(path, nonsense).text.count("webhook-id:") == 50


def test_off_and_on(endpoint: Endpoint, manager: Client) -> None:
    path = f"/webhooks/{endpoint.pk}/"
    assert "is off" in manager.post(f"{path}off/", follow=True).text
    page = manager.post(f"{path}test/")
    assert page.status_code == 409
    assert "switched off" in page.text
    assert "is on" in manager.post(f"{path}on/", follow=True).text
    assert manager.post(f"{path}explode/").status_code == 404


def test_the_banner_about_one_that_gave_up(endpoint: Endpoint, manager: Client, inspector: Client, now: datetime) -> None:
    for path in ("/", "/webhooks/"):
        assert "was switched off" not in manager.get(path).text
    note_outcome(endpoint, [Reply(410, 5)], now)
    for path in ("/", "/webhooks/"):
        assert "The webhook <strong>sorter</strong> was switched off" in manager.get(path).text
    assert "was switched off" not in inspector.get("/").text
    manager.post(f"/webhooks/{endpoint.pk}/off/")
    assert "was switched off" not in manager.get("/").text


def test_what_failed_is_named_in_the_list(endpoint: Endpoint, manager: Client, now: datetime) -> None:
    note_outcome(endpoint, [Reply(500, 5)], now - timedelta(hours=1))
    assert "failing since" in manager.get("/webhooks/").text


def test_the_list_takes_as_many_questions_for_many_endpoints(
    endpoint: Endpoint, line: Line, manager: Client, now: datetime
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            assert manager.get("/webhooks/").status_code == 200
        return len(found)

    one = questions()
    for number in range(3):
        made = create_endpoint(f"e{number}", VALUES["url"], types=["item.decided"], line=line, by=None, now=now)
        redelivery.send_test(made, now=now)
    assert questions() == one


def test_an_inspector_may_not(endpoint: Endpoint, inspector: Client) -> None:
    assert inspector.get("/webhooks/").status_code == 403
    assert inspector.get(f"/webhooks/{endpoint.pk}/").status_code == 403
    for verb in ("test", "rotate", "off", "on", "again"):
        assert inspector.post(f"/webhooks/{endpoint.pk}/{verb}/").status_code == 403
    assert inspector.post("/webhooks/new/", VALUES).status_code == 403
