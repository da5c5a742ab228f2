"""What a manager does with models and with machines' tokens."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway import deployments
from gateway.models import ApiToken
from gateway.tokens import create_token
from monitoring.selectors.models import models_of
from monitoring.views import models as views
from policies.models import Line
from review.errors import TrainingRuns
from review.models import TrainingRun
from tests.conftest import version

CANDIDATE = "/lines/phones/models/inspection-test-2"


def test_a_candidate_becomes_challenger_then_champion(busy: Line, manager: Client) -> None:
    assert [run.model_version.name for run in models_of(busy).candidates] == ["inspection-test-2"]
    assert manager.post(f"{CANDIDATE}/challenger/").status_code == 302
    assert deployments.challenger(busy).name == "inspection-test-2"
    assert models_of(busy).candidates == ()
    assert manager.post(f"{CANDIDATE}/champion/").status_code == 302
    assert deployments.champion(busy).name == "inspection-test-2"
    assert deployments.challenger(busy) is None


def test_one_step_back(busy: Line, manager: Client) -> None:
    assert not models_of(busy).can_step_back
    manager.post(f"{CANDIDATE}/champion/")
    assert models_of(busy).can_step_back
    assert manager.post("/lines/phones/models/back/").status_code == 302
    assert deployments.champion(busy).name == "inspection-test-1"


@pytest.mark.parametrize("path", ["", "models/", "training/"])
def test_what_is_long_about_models_is_read_on_their_own_page_alone(busy: Line, manager: Client, path: str) -> None:
    with CaptureQueriesContext(connection) as found:
        assert manager.get(f"/lines/phones/{path}").status_code == 200
    asked = [query["sql"] for query in found.captured_queries]
    assert any('"inference_modelversion"' in sql for sql in asked)
    assert not [sql for sql in asked if '"metrics"' in sql or '"card"' in sql]


@pytest.mark.parametrize("path", ["back/", "challenger/retire/"])
def test_what_cannot_be_done_says_so(busy: Line, manager: Client, path: str) -> None:
    response = manager.post(f"/lines/phones/models/{path}")
    assert response.status_code == 409
    assert "Nothing was changed" in response.text


def test_a_model_of_another_line_is_not_deployed(busy: Line, manager: Client) -> None:
    version("stranger")
    assert manager.post("/lines/phones/models/stranger/champion/").status_code == 404
    assert manager.post(f"{CANDIDATE}/emperor/").status_code == 404
    assert deployments.champion(busy).name == "inspection-test-1"


def test_the_button_asks_for_a_training(busy: Line, manager: Client, max_: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(views, "request_training", lambda line, *, by, reason, now: asked.append((line, by, reason)))
    assert manager.post("/lines/phones/retrain/").status_code == 302
    assert asked == [(busy, max_, "Asked for by a manager")]


def test_a_second_training_is_refused(busy: Line, manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(line: Line, **values: object) -> None:
        raise TrainingRuns("A training of this line has not ended.")

    monkeypatch.setattr(views, "request_training", refuse)
    response = manager.post("/lines/phones/retrain/")
    assert response.status_code == 409
    assert "has not ended" in response.text


@pytest.mark.parametrize(("state", "polls"), [("queued", True), ("running", True), ("done", False), ("failed", False)])
def test_the_progress_stops_asking_when_the_run_has_ended(
    line: Line, manager: Client, now: datetime, state: str, polls: bool
) -> None:
    TrainingRun.objects.create(line=line, state=state, progress=0.4, stage="Learning", reason="Labels", created_at=now)
    part = manager.get("/lines/phones/training/").text
    assert ("hx-trigger" in part) is polls
    assert ("<progress" in part) is polls
    assert ("Train a new model" in part) is not polls


def test_a_token_is_shown_once(line: Line, manager: Client) -> None:
    page = manager.post("/tokens/new/", {"name": "camera-9", "line": "phones", "scopes": ["items:write", "items:read"]})
    made = ApiToken.objects.get()
    assert page.status_code == 201
    secret = page.context["secret"]
    assert f'value="{secret}"' in page.text
    assert "no-store" in page.headers["Cache-Control"]
    assert (made.line, made.scopes, made.prefix) == (line, ["items:read", "items:write"], secret[:12])
    assert secret not in manager.get("/tokens/").text


@pytest.mark.parametrize(
    "values",
    [
        {"name": "", "scopes": ["items:read"]},
        {"name": "x"},
        {"name": "x", "scopes": ["items:burn"]},
        {"name": "camera", "scopes": ["items:read"]},
    ],
)
def test_a_token_that_cannot_be_is_refused(line: Line, manager: Client, now: datetime, values: dict[str, object]) -> None:
    create_token("camera", scopes=["items:read"], line=None, by=None, now=now)
    assert manager.post("/tokens/new/", values).status_code == 422
    assert ApiToken.objects.count() == 1


def test_a_token_is_revoked(line: Line, manager: Client, now: datetime) -> None:
    made, _ = create_token("camera", scopes=["items:read"], line=None, by=None, now=now)
    for words in ("camera is revoked.", "camera was revoked before."):
        assert words in manager.post(f"/tokens/{made.pk}/revoke/", follow=True).text
    made.refresh_from_db()
    assert made.revoked_at is not None


def test_a_models_page_stands_under_models(busy: Line, manager: Client) -> None:
    page = manager.get("/lines/phones/models/inspection-test-1/").text
    assert re.findall(r'<a href="([^"]*)" aria-current="page"', page) == ["/lines/phones/models/"]
