"""Why an item went where it went: facts and sentences, for every reason there is on arrival."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from gateway.models import Item
from gateway.tokens import create_token
from policies.modes import Mode
from tests.conftest import Model, photo
from tests.gateway.problems import problem

SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}
UNSURE = {"ok": 0.60, "scratch": 0.30, "dent": 0.10}
SCRATCH = {"ok": 0.01, "scratch": 0.98, "dent": 0.01}
ALL_AUDITED = {"audit_rate": 1.0}


def explain(api: Client, item_id: str) -> dict[str, Any]:
    response = api.get(f"/api/v1/items/{item_id}/explanation")
    assert response.status_code == 200, response.content
    return dict(response.json())


@pytest.mark.parametrize(
    ("mode", "says", "values", "reason", "words"),
    [
        (Mode.HUMAN_ONLY, SURE, {}, "human_only", ["Human only", "does not run"]),
        (Mode.SHADOW, SURE, {}, "shadow", ["Shadow", "recorded and shown to nobody"]),
        (Mode.SHADOW, None, {}, "model_unavailable", ["No model gave an answer in time"]),
        (Mode.ASSIST, SURE, {}, "assist", ["with the model's findings shown"]),
        (Mode.ASSIST, SURE, ALL_AUDITED, "audit", ["without sight of the model's findings", "in the audit sample"]),
        (Mode.PARTIAL, SURE, {}, "confident", ["said ok with probability 0.970", "reaches that class's threshold of 0.900"]),
        (Mode.PARTIAL, SURE, ALL_AUDITED, "confident", ["decided alone", "in the audit sample"]),
        (Mode.PARTIAL, UNSURE, {}, "uncertain", ["said ok with probability 0.600", "short of", "0.900"]),
        (Mode.PARTIAL, UNSURE, ALL_AUDITED, "audit", ["short of", "0.900", "in the audit sample"]),
        (Mode.PARTIAL, SCRATCH, {}, "uncertain", ["said scratch", "the class scratch has no threshold"]),
        (Mode.FULL, UNSURE, {}, "full", ["said ok with probability 0.600", "decides everything"]),
        (Mode.FULL, None, {}, "model_unavailable", ["No model gave an answer"]),
    ],
)
def test_every_reason_has_its_sentences(
    api: Client,
    post: Callable[..., Any],
    dial: Callable[..., Any],
    model: Model,
    mode: Mode,
    says: dict[str, float] | None,
    values: dict[str, float],
    reason: str,
    words: list[str],
) -> None:
    model.says, model.fails = says or {}, says is None
    policy = dial(mode, thresholds={"ok": 0.9}, **values)
    item_id = post()["id"]
    body = explain(api, item_id)
    story = " ".join(body["sentences"])
    assert body["reason"] == reason
    assert f"Policy version {policy.number} was in force" in story
    assert [word for word in words if word not in story] == [], story


def test_the_facts_are_those_of_the_moment_of_arrival(
    api: Client, post: Callable[..., Any], dial: Callable[..., Any], model: Model
) -> None:
    policy = dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.0)
    item = Item.objects.get(pk=post()["id"])
    dial(Mode.HUMAN_ONLY, thresholds={}, audit_rate=0.5)
    body = explain(api, str(item.pk))
    sentences = body.pop("sentences")
    assert body == {
        "item": str(item.pk),
        "route": "automate",
        "reason": "confident",
        "policy_version": policy.number,
        "mode": "partial",
        "thresholds": {"ok": 0.9},
        "audit_rate": 0.0,
        "draw": item.draw,
        "in_audit": False,
        "model_version": "inspection-test-1",
        "answer": "ok",
        "score": 0.97,
        "threshold": 0.9,
        "probabilities": SURE,
    }
    assert sentences[-1].startswith(f"The item's draw was {item.draw:.4f}, not below the audit rate of 0")


def test_a_brought_prediction_is_called_the_callers(api: Client, dial: Callable[..., Any]) -> None:
    dial(Mode.FULL)
    own = json.dumps({"probabilities": {"ok": 1.0}})
    url = "/api/v1/lines/phones/items"
    item_id = api.post(url, photo(), content_type="image/jpeg", query_params={"prediction": own}).json()["id"]
    body = explain(api, item_id)
    assert body["model_version"] == "The caller's own model"
    assert "The caller's own model said ok" in body["sentences"][1]


def test_it_takes_the_right_to_see_predictions(post: Callable[..., Any], line: Any, now: datetime) -> None:
    item_id = post()["id"]
    secret = create_token("reader", scopes=["items:read"], line=None, by=None, now=now)[1]
    reader = Client(headers={"Authorization": f"Bearer {secret}"})
    problem(reader.get(f"/api/v1/items/{item_id}/explanation"), 403, "scope-missing", "predictions:read")


def test_an_unknown_item(api: Client, line: Any) -> None:
    problem(api.get(f"/api/v1/items/{uuid4()}/explanation"), 404, "item-unknown")
