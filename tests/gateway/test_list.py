"""Listing items: filters, and pages that stay what they are while items arrive."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import lifecycle
from gateway.models import Item
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items"
Post = Callable[..., dict[str, Any]]


@pytest.fixture
def three(post: Post, dial: Callable[..., Any], model: Model, ines: User, now: datetime) -> dict[str, str]:
    """An item the model decided, one with people, and one that a person rejected; a minute apart."""
    dial(Mode.FULL)
    by_model = post(seed=1, external_id="A1")["id"]
    dial(Mode.SHADOW)
    waiting = post(seed=2, external_id="A2")["id"]
    judged = post(seed=3, external_id="A3")["id"]
    lifecycle.settle(Item.objects.get(pk=judged).pk, "dent", user=ines, reason=Reason.SHADOW, now=now)
    ids = {"by_model": by_model, "waiting": waiting, "judged": judged}
    for minute, item_id in enumerate(ids.values()):
        Item.objects.filter(pk=item_id).update(received_at=datetime(2026, 3, 1, 8, minute, tzinfo=UTC))
    return ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["judged", "waiting", "by_model"]),
        ({"status": "referred"}, ["waiting"]),
        ({"status": "decided"}, ["judged", "by_model"]),
        ({"decision": "dent"}, ["judged"]),
        ({"decision": "ok"}, ["by_model"]),
        ({"decided_by": "person"}, ["judged"]),
        ({"decided_by": "model"}, ["by_model"]),
        ({"route": "automate"}, ["by_model"]),
        ({"route": "refer"}, ["judged", "waiting"]),
        ({"reason": "full"}, ["by_model"]),
        ({"reason": "shadow", "status": "decided"}, ["judged"]),
        ({"external_id": "A2"}, ["waiting"]),
        ({"external_id": "A"}, []),
        ({"since": "2026-03-01T08:01:00Z"}, ["judged", "waiting"]),
        ({"until": "2026-03-01T08:01:00Z"}, ["by_model"]),
        ({"since": "2026-03-01T09:01:00+01:00", "until": "2026-03-01T09:02:00+01:00"}, ["waiting"]),
        ({"since": "2026-03-02T00:00:00Z"}, []),
    ],
)
def test_filters(api: Client, three: dict[str, str], query: dict[str, str], found: list[str]) -> None:
    results = api.get(URL, query).json()["results"]
    assert [one["id"] for one in results] == [three[name] for name in found]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"state": "decided"}, "There is no filter state"),
        ({"line": "other"}, "There is no filter line"),
        ({"answer": "ok"}, "There is no filter answer"),
        ({"since": "yesterday"}, "since must be a time with its zone"),
        ({"until": "2026-03-01T08:00:00"}, "until must be a time with its zone"),
        ({"since": "2026-13-01T08:00:00Z"}, "since must be a time"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since must be a time"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "until must be a time"),
        ({"since": "2026-03-01T08:00:00 01:00"}, "such as 2026-11-21T08:00:00Z"),
        ({"external_id": "A\0"}, "external_id holds a NUL"),
        ({"cursor": "nonsense"}, "cursor is not one that this list gave"),
        ({"cursor": base64.b64encode(b"p=nonsense").decode()}, "cursor is not one"),
        ({"cursor": base64.b64encode(b"p=1&o=-5&r=1").decode()}, "cursor is not one"),
        ({"cursor": "\xff\xff"}, "cursor is not one"),
    ],
)
def test_what_is_no_filter_is_refused_and_not_passed_over(api: Client, line: Line, query: dict[str, str], words: str) -> None:
    problem(api.get(URL, query), 422, "field-invalid", words)


def test_pages_neither_skip_nor_repeat_while_items_arrive(api: Client, post: Post, line: Line) -> None:
    ids = [post(seed=number)["id"] for number in range(7)]
    seen, url = [], f"{URL}?limit=3"
    while url:
        page = api.get(url).json()
        seen.append([one["id"] for one in page["results"]])
        post(seed=100 + len(seen))  # new items arrive while somebody reads
        url = page["next"]
    newest_first = sorted(ids, reverse=True)
    assert [len(page) for page in seen] == [3, 3, 1]
    assert [one for page in seen for one in page] == newest_first


def test_one_can_go_back_a_page(api: Client, post: Post, line: Line) -> None:
    for number in range(4):
        post(seed=number)
    first = api.get(f"{URL}?limit=2").json()
    second = api.get(first["next"]).json()
    assert api.get(second["previous"]).json()["results"] == first["results"]


def test_a_cursor_keeps_its_filters(api: Client, three: dict[str, str]) -> None:
    page = api.get(f"{URL}?status=decided&limit=1").json()
    assert [one["id"] for one in page["results"]] == [three["judged"]]
    page = api.get(page["next"]).json()
    assert [one["id"] for one in page["results"]] == [three["by_model"]]
    assert page["next"] is None


def test_a_page_has_a_largest_size(api: Client, line: Line, post: Post) -> None:
    post()
    assert len(api.get(f"{URL}?limit=100000").json()["results"]) == 1


def test_a_list_holds_only_its_own_line(api: Client, post: Post, line: Line, now: datetime) -> None:
    post()
    Line.objects.create(slug="tiles", name="Tiles", question="?", created_at=now + timedelta())
    assert api.get("/api/v1/lines/tiles/items").json()["results"] == []
    problem(api.get("/api/v1/lines/none/items"), 404, "line-unknown", "'none'")
