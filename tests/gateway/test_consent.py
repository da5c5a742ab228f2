"""`consent` at every door: raw, as a form, in a batch. Default true; what is neither true nor false is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gateway.models import Item
from tests.conftest import photo

URL = "/api/v1/lines/phones/items"
Post = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _stage(line: Any, media_folder: Any) -> None:
    """Every test has the line and a folder of its own."""


@pytest.mark.parametrize(("said", "kept"), [({}, True), ({"consent": "true"}, True), ({"consent": "false"}, False)])
def test_as_a_raw_body(post: Post, said: dict[str, str], kept: bool) -> None:
    assert post(**said)["consent"] is kept
    assert Item.objects.get().consent is kept


def test_as_a_form(api: Client) -> None:
    response = api.post(URL, {"image": SimpleUploadedFile("a.jpg", photo()), "consent": "false"})
    assert response.json()["consent"] is False


def test_in_a_batch(api: Client) -> None:
    files = [SimpleUploadedFile("a.jpg", photo(seed)) for seed in range(4)]
    fields = [{"consent": False}, {"consent": True}, {}, {"consent": 0}]
    results = api.post(f"{URL}/batch", {"image": files, "items": json.dumps(fields)}).json()["results"]
    assert [one.get("item", {}).get("consent") for one in results] == [False, True, True, None]
    assert results[3]["problem"]["detail"] == "consent must be true or false."


@pytest.mark.parametrize("value", ["no", "False", "1"])
def test_anything_else_is_refused(post: Post, value: str) -> None:
    assert post(status=422, consent=value)["code"] == "field-invalid"
    assert not Item.objects.exists()


def test_another_consent_is_another_request(api: Client) -> None:
    def send(consent: str) -> int:
        address, headers = f"{URL}?consent={consent}", {"Idempotency-Key": "a"}
        return api.post(address, photo(), content_type="image/jpeg", headers=headers).status_code

    assert [send("false"), send("false"), send("true")] == [201, 201, 422]
