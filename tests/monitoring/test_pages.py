"""Who may open which page, and how many questions a page asks the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway.models import Item
from policies.models import Line
from tests.monitoring.conftest import more

Queries = Callable[[int], Any]

MANAGERS_ONLY = [
    "/lines/phones/",
    "/lines/phones/?window=14d",
    "/lines/phones/queue/",
    "/lines/phones/flow/",
    "/lines/phones/conveyor/state/",
    "/lines/phones/training/",
    "/lines/phones/policies/",
    "/lines/phones/promises/",
    "/lines/phones/promises/planner/",
    "/lines/phones/what-if/",
    "/lines/phones/requests/",
    "/lines/phones/models/",
    "/lines/phones/models/inspection-test-1/",
    "/tokens/",
    "/webhooks/",
]
EVERYBODY = ["/", "/lines/phones/items/"]
POSTS = [
    "/lines/phones/dial/",
    "/lines/phones/stop/",
    "/lines/phones/conveyor/",
    "/lines/phones/policies/rollback/",
    "/lines/phones/what-if/ask/",
    "/requests/1/approve/",
    "/lines/phones/retrain/",
    "/lines/phones/models/back/",
    "/lines/phones/models/challenger/retire/",
    "/lines/phones/models/inspection-test-1/champion/",
    "/tokens/new/",
    "/tokens/1/revoke/",
    "/webhooks/new/",
    "/webhooks/1/rotate/",
    "/webhooks/1/test/",
    "/webhooks/deliveries/00000000-0000-7000-8000-000000000000/again/",
]


@pytest.mark.parametrize("path", MANAGERS_ONLY + EVERYBODY)
def test_a_manager_may_open_everything(busy: Line, manager: Client, path: str) -> None:
    assert manager.get(path).status_code == 200


@pytest.mark.parametrize("path", EVERYBODY)
def test_an_inspector_may_open_what_is_for_everybody(busy: Line, inspector: Client, path: str) -> None:
    assert inspector.get(path).status_code == 200


@pytest.mark.parametrize("path", MANAGERS_ONLY)
def test_an_inspector_may_not_open_what_is_for_managers(busy: Line, inspector: Client, path: str) -> None:
    assert inspector.get(path).status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_an_inspector_may_not_turn_anything(busy: Line, inspector: Client, path: str) -> None:
    assert inspector.post(path).status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_turning_takes_a_post(busy: Line, manager: Client, path: str) -> None:
    if path == "/lines/phones/conveyor/":
        assert manager.get(path).status_code == 405
        return
    # Where a page has the same address as a model's, GET finds no such model; nowhere does it do anything.
    assert manager.get(path).status_code in {404, 405}


@pytest.mark.parametrize("path", MANAGERS_ONLY + EVERYBODY)
def test_a_stranger_is_sent_to_log_in(busy: Line, client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("path", ["/lines/none/", "/lines/phones/models/none/", "/items/0190a000-0000-7000-8000-000000000000/"])
def test_what_is_not_there_is_404(busy: Line, manager: Client, path: str) -> None:
    assert manager.get(path).status_code == 404


# Session and user are 2, the roles 1; the banner of alarms on whole pages is 1 more.
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 3 + 6),
        ("/lines/phones/", 3 + 22),
        ("/lines/phones/queue/", 3 + 3),
        ("/lines/phones/flow/", 3 + 4),
        ("/lines/phones/policies/", 3 + 4),
        ("/lines/phones/what-if/", 3 + 10),
        ("/lines/phones/requests/", 3 + 5),
        ("/lines/phones/models/", 3 + 5),
        ("/lines/phones/items/", 3 + 4),
        ("/tokens/", 3 + 2),
    ],
)
def test_a_page_asks_as_often_however_much_there_is(
    busy: Line, manager: Client, ines: User, now: datetime, django_assert_num_queries: Queries, path: str, queries: int
) -> None:
    for _ in range(3):
        more(busy, ines, now)
    with django_assert_num_queries(queries):
        assert manager.get(path).status_code == 200


def test_the_item_page_asks_as_often_for_every_item(busy: Line, manager: Client, django_assert_num_queries: Queries) -> None:
    for found in Item.objects.filter(line=busy):
        with django_assert_num_queries(3 + 9):
            assert manager.get(f"/items/{found.pk}/").status_code == 200


def test_polling_gets_the_part_and_a_reader_the_page(busy: Line, manager: Client) -> None:
    assert "<html" in manager.get("/").text
    assert "<html" not in manager.get("/", headers={"HX-Request": "true"}).text


def test_an_inspector_lands_on_what_to_do(busy: Line, inspector: Client) -> None:
    page = inspector.get("/").text
    assert 'href="/lines/phones/console/"' in page
    assert 'href="/lines/phones/"' not in page


def test_a_line_without_anything_has_a_page(line: Line, manager: Client) -> None:
    page = manager.get("/lines/phones/").text
    assert "Nothing arrived in the last 24 hours" in page
    assert "Demo conveyor" not in page


def test_rates_are_shown_with_interval_and_n(busy: Line, manager: Client, ines: User, now: datetime) -> None:
    for _ in range(11):
        more(busy, ines, now)
    page = manager.get("/lines/phones/").text
    # Twelve audited items that the model passed, all good: Wilson's interval of 0 of 12.
    assert "0 % to 24 %, n = 12" in page
