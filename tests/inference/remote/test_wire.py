"""HTTP to one server: limits on time and size that hold whatever the server does, and words for what went wrong."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from inference import deadlines
from inference.remote import wire as module
from inference.remote.errors import RemoteFailed
from inference.remote.wire import Wire
from tests.inference.remote.server import Deed, Drips, Hangs, Served, Server, hangs_up, status

# Seconds that a test's server has, and what this machine may need on top of that.
LIMIT, GRACE = 0.15, 2.0


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    made = Wire(server.url)
    yield made
    made.close()


def post(wire: Wire, seconds: float = 5.0) -> bytes:
    with deadlines.within(seconds):
        return wire.post("/v2/models/phones/infer", b"{}", {"content-type": "application/json"}).body


def failure(wire: Wire, seconds: float = 5.0) -> RemoteFailed:
    with pytest.raises(RemoteFailed) as found:
        post(wire, seconds)
    return found.value


def test_a_connection_is_kept(wire: Wire, served: Served) -> None:
    served.always = status(200, {"well": True})
    for _ in range(5):
        assert post(wire) == b'{"well": true}'
    assert served.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_not_noticed_by_anybody(wire: Wire, server: Server) -> None:
    server.served.always = status(200, b"1")
    post(wire)
    server.stop()
    again = Server(server.served, server.server_address[1])
    try:
        assert post(wire) == b"1"
    finally:
        again.stop()


@pytest.mark.parametrize(
    ("code", "transient"),
    [(400, False), (404, False), (422, False), (500, False), (429, True), (502, True), (503, True), (504, True)],
)
def test_only_some_answers_are_worth_another_try(wire: Wire, served: Served, code: int, transient: bool) -> None:
    served.always = status(code, {"error": "no such tensor\n\x1b[31mred"}, Retry_After="3")
    found = failure(wire)
    assert (found.transient, found.wait, found.timed_out) == (transient, 3.0, False)
    assert str(found) == f'The server answers {code}: {{"error": "no such tensor\\n\\u001b[31mred"}}.'


def test_words_of_a_server_are_short_and_in_one_line(wire: Wire, served: Served) -> None:
    served.always = status(500, b"a\n\x1b[31m\xff b" * 500)
    said = str(failure(wire))
    assert len(said) < 250
    assert said.isprintable()


@pytest.mark.parametrize("given", ["soon", "-1", "", "1e3", "Wed, 21 Oct 2026 07:28:00 GMT", "9999999999"])
def test_a_wait_that_cannot_be_read_is_none(wire: Wire, served: Served, given: str) -> None:
    served.always = status(503, Retry_After=given)
    assert failure(wire).wait == 0


def test_a_redirect_is_not_followed(wire: Wire, server: Server) -> None:
    server.served.always = status(307, Location=f"{server.url}/v2/models/other/infer")
    found = failure(wire)
    assert "redirect (307)" in str(found)
    assert not found.transient
    assert [asked[1] for asked in server.served.asked] == ["/v2/models/phones/infer"]


def test_a_packed_answer_is_refused(wire: Wire, served: Served) -> None:
    served.always = status(200, gzip.compress(b"{}"), Content_Encoding="gzip")
    assert "packed (gzip)" in str(failure(wire))


def test_an_answer_without_end_is_cut_off(wire: Wire, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    served.always = status(200, b"x" * 1001)
    assert "more than 1,000 bytes" in str(failure(wire))
    served.always = status(200, b"x" * 1000)
    assert len(post(wire)) == 1000


@pytest.mark.parametrize("deed", [Hangs(), Drips(header=True), Drips(header=False)], ids=["hangs", "header", "body"])
def test_the_time_limit_holds(wire: Wire, served: Served, deed: Deed) -> None:
    served.always = deed
    started = time.monotonic()
    found = failure(wire, LIMIT)
    assert LIMIT <= time.monotonic() - started < LIMIT + GRACE
    assert (found.timed_out, found.transient) == (True, False)
    if isinstance(deed, Hangs):
        deed.go.set()


def test_a_deadline_that_has_passed_sends_nothing(wire: Wire, served: Served) -> None:
    assert failure(wire, 0.0).timed_out
    assert served.asked == []


def test_a_server_that_hangs_up_may_be_asked_again(wire: Wire, served: Served) -> None:
    served.always = hangs_up
    assert failure(wire).transient


def test_a_server_that_is_gone_may_be_asked_again(wire: Wire, server: Server) -> None:
    server.stop()
    found = failure(wire)
    assert (found.transient, found.timed_out) == (True, False)
    assert "cannot be reached" in str(found)


def test_a_host_that_swallows_packets_may_be_asked_again_and_is_grave(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def swallowed(*args: Any, **values: Any) -> None:
        raise httpcore.ConnectTimeout("timed out")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", swallowed)
    found = failure(wire)
    assert (found.transient, found.timed_out) == (True, True)
    assert "connected to in time" in str(found)


def test_what_is_not_http_is_no_answer(wire: Wire, served: Served) -> None:
    def mail(handler: Any) -> None:
        handler.wfile.write(b"220 mail.example ESMTP\r\n")
        handler.close_connection = True

    served.always = mail
    assert "cannot be reached" in str(failure(wire))


def test_a_token_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(server.url, "MODELS_TOKEN")
    server.served.always = status(200, b"1")
    for value in (None, "", "two\nlines"):
        if value is not None:
            monkeypatch.setenv("MODELS_TOKEN", value)
        assert "MODELS_TOKEN holds no token" in str(failure(wire))
    monkeypatch.setenv("MODELS_TOKEN", "s3cret")
    post(wire)
    wire.close()
    assert [asked[2]["authorization"] for asked in server.served.asked] == ["Bearer s3cret"]


def test_no_proxy_is_taken_from_the_environment(wire: Wire, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    served.always = status(200, b"1")
    assert post(wire) == b"1"


def test_a_host_that_is_none_is_a_reason() -> None:
    wire = Wire("http://a..b:80")
    assert "cannot be reached" in str(failure(wire))
    wire.close()
