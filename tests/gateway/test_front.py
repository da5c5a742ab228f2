"""A posted photo goes past Django's handler, and nobody can tell: both ways give the same answers."""

from __future__ import annotations

import gc
import io
import json
import sys
import weakref
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from gateway.front import front
from gateway.models import ApiToken, Item
from policies.models import Line
from tests.conftest import photo

# Both ways drop a connection that is in a transaction when a request begins, as that of a test is on a server.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")
# What is another one each time.
OWN = {"id", "received_at", "decided_at", "latency_ms"}


def posted(application: Any, path: str, body: bytes = b"", **environ: Any) -> tuple[str, dict[str, str], Any]:
    """Return status, headers and the parsed body of a POST, as a WSGI server would get them."""
    told: list[Any] = []
    request = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "image/png",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        **environ,
    }
    text = b"".join(application(request, lambda status, headers: told.extend([status, dict(headers)])))
    # Its id is its own, and in a body of another length.
    headers = {name: value for name, value in told[1].items() if name not in {"X-Request-ID", "Location", "Content-Length"}}
    return told[0], headers, _without_own(json.loads(text)) if "json" in headers.get("Content-Type", "") else text


def _without_own(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _without_own(value) for name, value in body.items() if name not in OWN}
    return [_without_own(one) for one in body] if isinstance(body, list) else body


@pytest.fixture
def png() -> bytes:
    return photo(form="PNG")


@pytest.fixture
def short() -> Any:
    return front(WSGIHandler())


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "a photo": ("/api/v1/lines/phones/items", {}),
    "with fields": ("/api/v1/lines/phones/items", {"QUERY_STRING": "external_id=7&consent=false"}),
    "its request's name": ("/api/v1/lines/phones/items", {"HTTP_X_REQUEST_ID": "mine"}),
    "no photo": ("/api/v1/lines/phones/items", {"wsgi.input": io.BytesIO(b"none"), "CONTENT_LENGTH": "4"}),
    "an unknown field": ("/api/v1/lines/phones/items", {"QUERY_STRING": "colour=red"}),
    "an unknown line": ("/api/v1/lines/none/items", {}),
    "no token": ("/api/v1/lines/phones/items", {"HTTP_AUTHORIZATION": ""}),
    "a wrong token": ("/api/v1/lines/phones/items", {"HTTP_AUTHORIZATION": "Bearer slc_none"}),
    "another host": ("/api/v1/lines/phones/items", {"HTTP_HOST": "evil.example"}),
    "too long": ("/api/v1/lines/phones/items", {"CONTENT_LENGTH": str(10**9)}),
    "chunked": ("/api/v1/lines/phones/items", {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}),
    "no batch": ("/api/v1/lines/phones/items/batch", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_both_ways_answer_alike(name: str, short: Any, line: Line, token: tuple[ApiToken, str], png: bytes) -> None:
    path, environ = CASES[name]
    environ = {"HTTP_AUTHORIZATION": f"Bearer {token[1]}", **environ}
    stream = environ.get("wsgi.input")
    answers = []
    for application in (WSGIHandler(), short):
        if stream is not None:
            stream.seek(0)
        answers.append(posted(application, path, png, **environ))
    assert answers[0] == answers[1]


def test_what_is_no_posted_photo_goes_the_long_way(line: Line) -> None:
    gone: list[str] = []

    def pages(environ: Any, start_response: Any) -> Any:
        gone.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b""]

    ways = ["/login/", "/api/v1/lines/phones/items/archive", "/api/v1/items/1/appeal", "/api/v1/lines/a/b/items"]
    for path in ways:
        posted(front(pages), path)
    posted(front(pages), "/api/v1/lines/phones/items", REQUEST_METHOD="GET")
    posted(front(pages), "/api/v1/lines/phones/items", SCRIPT_NAME="/under")
    assert gone == [*ways, "/api/v1/lines/phones/items", "/api/v1/lines/phones/items"]


def test_an_error_that_nobody_foresaw_is_a_500(
    short: Any,
    line: Line,
    token: tuple[ApiToken, str],
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gateway.routing.route_one", broken)
    status, _, _ = posted(short, "/api/v1/lines/phones/items", png, HTTP_AUTHORIZATION=f"Bearer {token[1]}")
    assert status.startswith("500")
    assert not Item.objects.exists()
    assert "ZeroDivisionError" in caplog.text


def test_the_token_is_used(short: Any, line: Line, token: tuple[ApiToken, str], png: bytes) -> None:
    status, headers, body = posted(short, "/api/v1/lines/phones/items", png, HTTP_AUTHORIZATION=f"Bearer {token[1]}")
    assert status == "201 Created"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert body["line"] == "phones"
    assert ApiToken.objects.get().last_used_at is not None


def test_a_photo_is_let_go_of_with_its_answer(short: Any, line: Line, token: tuple[ApiToken, str], png: bytes) -> None:
    """What waits for the collector lies about in hundreds."""
    sent = {"HTTP_AUTHORIZATION": f"Bearer {token[1]}", "CONTENT_LENGTH": str(len(png))}
    posted(short, "/api/v1/lines/phones/items", png, **sent)
    gc.disable()
    try:
        body = io.BytesIO(png)
        held = weakref.ref(body)
        posted(short, "/api/v1/lines/phones/items", **sent, **{"wsgi.input": body})
        del body
        assert held() is None
    finally:
        gc.enable()
