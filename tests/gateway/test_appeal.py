"""A machine doubts a decision: people look again, blind, and the decision stands meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from gateway.errors import AlreadyOpen
from gateway.lifecycle import PRIORITY, refer
from gateway.models import Event, IdempotencyRecord, Item, Referral
from policies.decide import Reason
from policies.modes import Mode
from tests.conftest import Model
from tests.gateway.problems import problem


@pytest.fixture
def decided(post: Callable[..., Any], dial: Callable[..., Any], model: Model) -> str:
    """The id of an item that the model passed."""
    dial(Mode.FULL)
    return str(post()["id"])


def appeal(api: Client, item_id: str, reason: Any = "customer sent it back", key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(
        f"/api/v1/items/{item_id}/appeal", json.dumps({"reason": reason}), content_type="application/json", headers=headers
    )


def test_an_appeal_asks_a_person_and_leaves_the_decision(api: Client, decided: str) -> None:
    response = appeal(api, decided)
    assert response.status_code == 201
    body = response.json()
    assert (body["id"], body["status"], body["decision"], body["decided_by"]) == (decided, "decided", "ok", "model")
    referral = Referral.objects.get(item=decided)
    assert (referral.reason, referral.blind, referral.state) == ("appeal", True, "open")
    assert (referral.note, referral.wanted, referral.priority) == ("customer sent it back", 1, PRIORITY[Reason.APPEAL])
    opened = Event.objects.get(kind="referral.opened")
    assert (opened.actor, opened.reason, str(opened.item_id)) == ("token:camera", "appeal", decided)


def test_a_second_appeal_is_refused_while_the_first_is_open(api: Client, decided: str) -> None:
    appeal(api, decided)
    problem(appeal(api, decided, "again"), 409, "referral-open", "appeal")
    assert Referral.objects.filter(item=decided).count() == 1


def test_a_second_appeal_is_refused_by_the_database_too(decided: str, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two look at the same moment, both find nothing; the constraint lets one of them in."""
    item = Item.objects.get(pk=decided)
    refer(item, Reason.APPEAL, blind=True, actor="a", now=now)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)
    with pytest.raises(AlreadyOpen):
        refer(item, Reason.APPEAL, blind=True, actor="b", now=now)
    assert Referral.objects.filter(item=decided).count() == 1


def test_the_same_appeal_twice_with_a_key_is_one(api: Client, decided: str) -> None:
    first, second = (appeal(api, decided, key="k1") for _ in range(2))
    assert (second.status_code, second.json()) == (201, first.json())
    assert second["Idempotent-Replayed"] == "true"
    problem(appeal(api, decided, "another reason", key="k1"), 422, "idempotency-key-reused", "'k1'")


def test_there_is_nothing_to_appeal_before_a_decision(api: Client, post: Callable[..., Any], line: Any) -> None:
    item_id = post()["id"]
    problem(appeal(api, item_id), 409, "item-not-decided", "no decision yet")
    problem(appeal(api, item_id, key="k"), 409, "item-not-decided")
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", None, 7, ["x"], "x" * 501])
def test_an_appeal_needs_a_reason(api: Client, decided: str, reason: Any) -> None:
    problem(appeal(api, decided, reason), 422, "field-invalid", "a reason of up to 500 characters")


@pytest.mark.parametrize("reason", ["line one\nline two", "x" * 500, "zurück 📱"])
def test_a_reason_may_be_any_text(api: Client, decided: str, reason: str) -> None:
    assert appeal(api, decided, reason).status_code == 201
    assert Referral.objects.get(item=decided).note == reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"reason": NaN}', "NaN"),
        (b"[" * 100_000, "not JSON"),
        (b'["reason"]', "must be a JSON object, not a list"),
        (b'{"reason": "\\ud800"}', "surrogate"),
        (b'{"reason": "a\\u0000b"}', "NUL"),
        (b"{}", "needs a reason"),
        (b'{"reason": "x", "urgent": true}', "There is no field urgent"),
    ],
)
def test_a_bad_body(api: Client, decided: str, body: bytes, words: str) -> None:
    url = f"/api/v1/items/{decided}/appeal"
    response = api.post(url, body, content_type="application/json", CONTENT_TYPE="application/json")
    problem(response, 422, "field-invalid", words)
    assert not Referral.objects.exists()


def test_a_form_is_no_appeal(api: Client, decided: str) -> None:
    response = api.post(f"/api/v1/items/{decided}/appeal", {"reason": "x"})
    problem(response, 415, "media-type-unsupported", "multipart/form-data")


def test_an_unknown_item(api: Client, line: Any) -> None:
    missing = str(uuid4())
    problem(appeal(api, missing), 404, "item-unknown", missing)
