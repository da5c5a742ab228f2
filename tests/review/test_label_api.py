"""The feed over HTTP: paging with a cursor, and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway.tokens import create_token
from policies.models import Line
from review.splits import split_of
from tests.review.people import arrive, change, judge

URL = "/api/v1/lines/phones/labels"


@pytest.fixture
def five(line: Line, ines: User, now: datetime) -> list[Any]:
    """Five labels, oldest first."""
    arrive(line, 5, now=now)
    return [judge(line, ines, answer, now) for answer in ("ok", "dent", "ok", "scratch", "ok")]


def bearer(line: Line | None, *scopes: str, now: datetime) -> Client:
    """A machine's client with these scopes."""
    _, secret = create_token(f"reader of {line}", scopes=scopes, line=line, by=None, now=now)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_pages_follow_each_other_without_gap_or_overlap(api: Client, five: list[Any]) -> None:
    seen, after, more = [], 0, True
    while more:
        page = api.get(URL, query_params={"after": after, "limit": 2}).json()
        seen += [label["sequence"] for label in page["labels"]]
        after, more = page["next"], page["more"]
    assert seen == [1, 2, 3, 4, 5] and after == 5


def test_at_the_end_the_cursor_stays_and_later_labels_come(
    api: Client, five: list[Any], line: Line, ines: User, now: datetime
) -> None:
    assert api.get(URL, query_params={"after": 5}).json() == {"labels": [], "next": 5, "more": False}
    arrive(line, now=now)
    judge(line, ines, "dent", now)
    assert [one["sequence"] for one in api.get(URL, query_params={"after": 5}).json()["labels"]] == [6]


def test_a_row_says_what_training_needs(api: Client, line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now, names=["SN-1"])
    box = {"label": "dent", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
    judge(line, ines, "dent", now, regions=[box])
    (row,) = api.get(URL).json()["labels"]
    assert row == {
        "sequence": 1,
        "item": str(item.pk),
        "external_id": "SN-1",
        "photo": item.media_digest,
        "consent": True,
        "answer": "dent",
        "regions": [box],
        "source": "judgement",
        "blind": True,
        "in_audit": False,
        "inclusion_probability": 1.0,
        "split": split_of("phones", "SN-1", item.media_digest),
        "created_at": now.isoformat(),
    }


def test_a_withdrawn_label_is_null(api: Client, five: list[Any], ines: User, now: datetime) -> None:
    change(ines, five[-1], "", now)
    last = api.get(URL, query_params={"after": 5}).json()["labels"]
    assert [(one["sequence"], one["answer"], one["item"]) for one in last] == [(6, None, str(five[-1].item_id))]


@pytest.mark.parametrize("name", ["after", "limit"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", "", "²", "9" * 30, "1e3", " 1", "None"])
def test_a_bad_cursor_is_refused(api: Client, line: Line, name: str, value: str) -> None:
    answer = api.get(URL, query_params={name: value})
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert name in answer.json()["detail"]


def test_a_limit_is_bounded_and_never_nothing(api: Client, five: list[Any]) -> None:
    assert len(api.get(URL, query_params={"limit": 100_000}).json()["labels"]) == 5
    page = api.get(URL, query_params={"limit": 0}).json()
    assert (len(page["labels"]), page["more"]) == (1, True), "a page without a row would never come to an end"


def test_only_who_may_read_labels(line: Line, other_line: Line, five: list[Any], now: datetime, client: Client) -> None:
    assert client.get(URL).status_code == 401
    assert bearer(None, "items:read", now=now).get(URL).status_code == 403
    assert bearer(other_line, "labels:read", now=now).get(URL).status_code == 404
    assert len(bearer(line, "labels:read", now=now).get(URL).json()["labels"]) == 5


def test_another_line_has_a_feed_of_its_own(api: Client, other_line: Line, five: list[Any]) -> None:
    assert api.get("/api/v1/lines/tiles/labels").json()["labels"] == []
    assert api.get("/api/v1/lines/nowhere/labels").status_code == 404


def test_a_page_costs_the_same_whatever_is_on_it(
    api: Client, line: Line, ines: User, now: datetime, django_assert_max_num_queries: Callable[..., Any], five: list[Any]
) -> None:
    with django_assert_max_num_queries(5):
        api.get(URL)
