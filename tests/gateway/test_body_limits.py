"""A body that says it is too long is refused by what it says, before anything is read or parsed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from gateway.body_limits import BodyLimits
from tests.gateway.problems import problem

MIB = 1024 * 1024
LIMITS = [
    ("/api/v1/lines/phones/items", 21 * MIB),
    ("/api/v1/lines/phones/items/batch", 64 * MIB),
    ("/api/v1/lines/phones/items/archive", 4096 * MIB),
    ("/api/v1/items/1/appeal", 4 * MIB),
    ("/api/v1/lines/phones/labels", 4 * MIB),
    ("/lines/phones/console/next", 4 * MIB),
    ("/console/heartbeat", 4 * MIB),
    ("/login/", 4 * MIB),
    ("/lines/phones/items", 4 * MIB),
    ("/nowhere", 4 * MIB),
]


@pytest.fixture
def send() -> Callable[[str, str], Any]:
    """Send a request that says how long it is, past the middleware to a view that takes everything."""
    limits = BodyLimits(lambda request: HttpResponse("taken"))

    def call(path: str, length: str) -> Any:
        request: HttpRequest = RequestFactory().post(path, b"", content_type="text/plain", CONTENT_LENGTH=length)
        return limits(request)

    return call


@pytest.mark.parametrize(("path", "most"), LIMITS)
def test_each_address_has_a_limit(send: Callable[[str, str], Any], path: str, most: int) -> None:
    assert send(path, str(most)).content == b"taken"
    assert send(path, str(most + 1)).status_code == 413


@pytest.mark.parametrize("length", ["", "none", "-1"])
def test_a_body_of_no_known_length_is_left_to_the_door(send: Callable[[str, str], Any], length: str) -> None:
    assert send("/api/v1/lines/phones/items", length).content == b"taken"


def test_a_number_that_python_would_not_read_is_over_every_limit(send: Callable[[str, str], Any]) -> None:
    assert send("/api/v1/lines/phones/items/batch", "9" * 5000).status_code == 413


def test_the_limits_come_from_the_settings(client: Client, settings: Any) -> None:
    settings.MAX_BATCH_BYTES, settings.MAX_PHOTO_BYTES = 1000, 2000
    for path, length, words in (("/items/batch", 1001, ["batch", "1000"]), ("/items", 2001 + MIB, ["photo", "2000"])):
        answer = client.post(
            f"/api/v1/lines/phones{path}", b"", content_type="image/png", headers={"Content-Length": str(length)}
        )
        problem(answer, 413, "body-too-large", *words)


def test_it_stands_before_whatever_reads_a_body(client: Client) -> None:
    """No token, no login and no line are looked up: nothing here touches the database."""
    long = {"headers": {"Content-Length": str(10**12)}, "content_type": "multipart/form-data; boundary=x"}
    problem(client.post("/api/v1/lines/phones/items/batch", b"", **long), 413, "body-too-large", str(64 * MIB))
    problem(client.post("/console/heartbeat", b"", **long), 413, "body-too-large", str(4 * MIB))


def test_a_page_answers_with_a_page(client: Client) -> None:
    answer = client.post("/login/", b"", content_type="text/plain", headers={"Content-Length": str(10**12)})
    assert (answer.status_code, answer["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert b"This request is too large" in answer.content
    assert f"{4 * MIB} bytes".encode() in answer.content
