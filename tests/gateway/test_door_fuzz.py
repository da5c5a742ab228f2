"""Rubbish at the door, by the thousand: never an error of ours, and never an item for a request that was refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as configured
from hypothesis import strategies as st

from gateway.models import Event, Item
from policies.models import Line
from tests.conftest import photo

# The cast is built once for all examples, and no example may depend on what the one before it left.
FUZZ = configured(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
URL = "/api/v1/lines/phones/items"
GOOD = photo(1, (16, 16))

# What a header or an address can carry: the server hands both on as Latin-1.
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["ok", "dent", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["probabilities", "regions", "label", "x", "ok", "dent", "metadata", "\udfff"]), inner
        )
    ),
    max_leaves=12,
)
TEXTS = st.text(max_size=60) | JSONS.map(json.dumps)
NAMES = st.sampled_from(["image", "external_id", "metadata", "prediction", "items", "wait", "cursor", "since", "limit"]) | LATIN
SAMPLES = (b"", b"a text", GOOD, GOOD[:90], b"\x89PNG\r\n\x1a\n" + bytes(30), b"RIFF\x04\0\0\0WEBP")
BODIES = st.binary(max_size=200) | st.sampled_from(SAMPLES)


@st.composite
def broken_photos(draw: st.DrawFn) -> bytes:
    """A good photo with a few bytes changed, left out or repeated."""
    data = bytearray(draw(st.sampled_from([GOOD, photo(1, (16, 16), "PNG"), photo(1, (16, 16), "WEBP")])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@pytest.fixture
def door(api: Client, line: Line) -> Iterator[Any]:
    """Return a call that sends a request and checks what holds for every request."""
    api.raise_request_exception = False

    def counts() -> tuple[int, int]:
        return Item.objects.count(), Event.objects.count()

    def send(method: str, url: str, body: bytes = b"", content_type: str = "image/jpeg", query: str = "", **more: str) -> Any:
        before = counts()
        response = api.generic(method, url, body, content_type, QUERY_STRING=query, CONTENT_TYPE=content_type, **more)
        assert response.status_code < 500, (response.status_code, response.content[:500])
        if response.status_code >= 400:
            assert counts() == before, "a refused request left an item or an event"
            assert response["Content-Type"] == "application/problem+json"
            assert set(response.json()) == {"type", "title", "status", "code", "detail"}
        return response

    return send


def query_of(pairs: list[tuple[str, str]]) -> str:
    return "&".join("=".join(quote_from_bytes(one.encode("utf-8", "surrogatepass")) for one in pair) for pair in pairs)


@FUZZ
@given(body=BODIES | broken_photos(), content_type=st.sampled_from(["image/jpeg", "application/octet-stream"]) | LATIN)
def test_raw_bodies(door: Any, body: bytes, content_type: str) -> None:
    door("POST", URL, body, content_type)


@FUZZ
@given(pairs=st.lists(st.tuples(NAMES, TEXTS), max_size=4), tail=LATIN)
def test_addresses(door: Any, pairs: list[tuple[str, str]], tail: str) -> None:
    door("POST", URL, GOOD, query=query_of(pairs) + tail)
    door("GET", URL, query=query_of(pairs) + tail)


@FUZZ
@given(metadata=JSONS, prediction=JSONS, external_id=JSONS)
def test_fields_of_a_batch(door: Any, metadata: Any, prediction: Any, external_id: Any) -> None:
    items = json.dumps([{"metadata": metadata}, {"prediction": prediction}, {"external_id": external_id}])
    parts = [form_part("image", GOOD, filename="a.jpg")] * 3 + [form_part("items", items.encode())]
    response = door("POST", f"{URL}/batch", form(parts), "multipart/form-data; boundary=x")
    if response.status_code == 200:
        taken = [one["item"]["id"] for one in response.json()["results"] if one["status"] == 201]
        assert Item.objects.filter(pk__in=taken).count() == len(taken)
        # What was taken can be read again, whatever it holds.
        assert door("GET", URL).status_code == 200


def form_part(name: str, content: bytes, filename: str = "") -> bytes:
    file = f'; filename="{filename}"' if filename else ""
    head = f'Content-Disposition: form-data; name="{name}"{file}'
    return b"--x\r\n" + head.encode("utf-8", "surrogatepass") + b"\r\n\r\n" + content + b"\r\n"


def form(parts: list[bytes]) -> bytes:
    return b"".join(parts) + b"--x--\r\n"


@FUZZ
@given(
    parts=st.lists(st.tuples(NAMES, BODIES | TEXTS.map(lambda text: text.encode("utf-8", "replace")), LATIN), max_size=4),
    damage=st.binary(max_size=8),
    where=st.floats(0, 1),
    batch=st.booleans(),
)
def test_forms(door: Any, parts: list[tuple[str, bytes, str]], damage: bytes, where: float, batch: bool) -> None:
    body = form([form_part(name, content, filename) for name, content, filename in parts])
    at = int(where * len(body))
    body = body[:at] + damage + body[at:]
    door("POST", f"{URL}/batch" if batch else URL, body, "multipart/form-data; boundary=x")


@FUZZ
@given(key=LATIN, accept=LATIN, length=LATIN | st.integers(max_value=len(GOOD)).map(str), token=LATIN, ours=st.booleans())
def test_headers(door: Any, key: str, accept: str, length: str, token: str, ours: bool) -> None:
    headers = {"HTTP_IDEMPOTENCY_KEY": key, "HTTP_ACCEPT": accept, "CONTENT_LENGTH": length}
    if not ours:
        headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    response = door("POST", URL, GOOD, **headers)
    if not ours:
        assert response.status_code in {401, 406}


@FUZZ
@given(cursor=st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode()) | TEXTS, limit=TEXTS)
def test_cursors(door: Any, cursor: str, limit: str) -> None:
    door("GET", URL, query=query_of([("cursor", cursor), ("limit", limit)]))


@FUZZ
@given(body=st.binary(max_size=60) | JSONS.map(lambda data: json.dumps(data).encode()) | TEXTS.map(
    lambda text: json.dumps({"reason": text}).encode()
))  # fmt: skip
def test_appeals(door: Any, post: Any, body: bytes) -> None:
    item = Item.objects.first() or Item.objects.get(pk=post()["id"])
    response = door("POST", f"/api/v1/items/{item.pk}/appeal", body, "application/json")
    assert response.status_code in {409, 422}


@FUZZ
@given(path=st.text(max_size=30).map(lambda text: quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="/%")))
def test_paths(door: Any, path: str) -> None:
    door("POST", f"/api/v1/{path}", GOOD)
