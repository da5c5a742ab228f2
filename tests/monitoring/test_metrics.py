"""/metrics: who may read it, and that the figures are those of what happened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from gateway.models import Referral
from monitoring import operating, pulse
from monitoring.operating import Cached
from monitoring.views import metrics as page
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]
Post = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def fresh(db: None, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """Nothing is remembered from another test, and the broker is nobody's."""
    registry = CollectorRegistry()
    for read in (operating.queues, operating.work, operating.dials, operating.guardrails, pulse.gauges):
        registry.register(Cached(read, 0.0))
    monkeypatch.setattr(page, "registry", registry)
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path / 'nobody'}"
    settings.VAR_DIR = tmp_path


def figures() -> Figures:
    response = Client().get("/metrics")
    assert response.status_code == 200, response.content
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples
    }


def figure(found: Figures, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


def test_a_post_is_counted_and_each_stage_timed_once(line: Line, model: Model, dial: Any, post: Post) -> None:
    dial(Mode.FULL)
    before = figures()
    post(seed=1)
    after = figures()

    def grew(name: str, **labels: str) -> float:
        return figure(after, name, **labels) - figure(before, name, **labels)

    route = "api/v1/lines/<slug:slug>/items"
    assert grew("sluice_requests_total", route=route, method="POST", status="201") == 1
    assert grew("sluice_request_seconds_count", route=route) == 1
    for stage in ("door", "predict", "store", "decide", "record"):
        assert grew("sluice_stage_seconds_count", stage=stage) == 1, stage
    taken = {"line": "phones", "mode": "full", "route": "automate", "reason": "full"}
    names = {labels for name, labels in after if name == "sluice_items_total"}
    assert grew("sluice_items_total", **taken) == 1, names
    assert grew("sluice_photo_bytes_total", line="phones") > 500


def test_what_waits_for_people_is_told_by_line(line: Line, post: Post) -> None:
    assert figure(figures(), "sluice_open_referrals", line="phones") == 0
    for seed in range(3):
        post(seed=seed)
    hour = timezone.now() - timedelta(hours=1)
    first = Referral.objects.order_by("pk").first()
    assert first is not None
    Referral.objects.filter(pk=first.pk).update(created_at=hour, due_at=hour + timedelta(minutes=50))
    found = figures()
    assert figure(found, "sluice_open_referrals", line="phones") == 3
    assert figure(found, "sluice_overdue_referrals", line="phones") == 1
    assert 3600 <= figure(found, "sluice_oldest_referral_seconds", line="phones") < 3700
    assert figure(found, "sluice_work_waiting", work="fail_safe") == 1
    assert 600 <= figure(found, "sluice_work_oldest_seconds", work="fail_safe") < 700


def test_the_dial_is_told(line: Line, dial: Any) -> None:
    dial(Mode.ASSIST)
    assert figure(figures(), "sluice_line_mode", line="phones") == 2


def test_a_broker_that_is_away_is_told(line: Line) -> None:
    found = figures()
    assert found[("sluice_broker_up", ())] == 0
    assert ("sluice_broker_messages", ()) not in found


def test_a_scrape_takes_few_queries(line: Line, post: Post) -> None:
    post()
    with CaptureQueriesContext(connection) as queries:
        Client().get("/metrics")
    assert len(queries) <= 10, [query["sql"] for query in queries]


def test_the_database_is_asked_now_and_then() -> None:
    asked, clock = list[int](), [0.0]
    cached = Cached(lambda: asked.append(1) or [], 5.0, clock=lambda: clock[0])
    for clock[0] in (0.0, 4.9, 5.0, 6.0):
        list(cached.collect())
    assert len(asked) == 2


def test_without_the_database_the_process_still_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> list[Any]:
        raise DatabaseError("gone")

    registry = CollectorRegistry()
    registry.register(Cached(gone, 5.0))
    monkeypatch.setattr(page, "registry", registry)
    assert ("sluice_batcher_backlog", ()) in figures()


@pytest.mark.parametrize(
    ("token", "sent", "status"),
    [
        ("", {}, 200),
        ("", {"REMOTE_ADDR": "192.0.2.7"}, 403),
        ("", {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 403),
        ("a-long-random-token", {}, 403),
        ("a-long-random-token", {"HTTP_AUTHORIZATION": "Bearer wrong"}, 403),
        ("a-long-random-token", {"HTTP_AUTHORIZATION": "Bearer a-long-random-token", "REMOTE_ADDR": "192.0.2.7"}, 200),
    ],
)
def test_it_is_private(settings: Any, token: str, sent: dict[str, str], status: int) -> None:
    settings.METRICS_TOKEN = token
    assert Client(**sent).get("/metrics").status_code == status


def test_a_logged_in_manager_elsewhere_is_no_scraper(max_: User, login: Any) -> None:
    assert login(max_).get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 403


SCRIPT = """
import django; django.setup()
from gateway.metrics import REQUESTS
from inference.figures import BACKLOG
REQUESTS.labels("items", "POST", 201).inc(3)
BACKLOG.inc(2)
"""
TELL = """
import django; django.setup()
from gateway.metrics import REQUESTS
from inference.figures import BACKLOG
from gateway.metrics_files import exposition
REQUESTS.labels("items", "POST", 201).inc(4)
BACKLOG.inc(5)
print(exposition().decode())
"""


def test_several_processes_tell_their_sum_and_the_dead_wait_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    own = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"), "SLUICE_VAR": str(tmp_path)}
    environment = os.environ | own | {"DJANGO_SETTINGS_MODULE": "gateway.settings"}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, cwd=root, check=True)
    told = subprocess.run([sys.executable, "-c", TELL], env=environment, cwd=root, check=True, capture_output=True, text=True)
    lines = told.stdout.splitlines()
    assert 'sluice_requests_total{method="POST",route="items",status="201"} 7.0' in lines, lines
    assert "sluice_batcher_backlog 5.0" in lines, lines
