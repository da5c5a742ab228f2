"""One attempt over the wire: what is sent, and that whatever the other side does is a reply within the time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest

from gateway.webhooks.network import KEPT_CHARACTERS, send
from tests.gateway.webhooks.receiver import Receiver


@pytest.fixture
def dripping(at_home: None) -> Iterator[str]:
    """A server that answers a byte each time somebody waits for one, and never ends."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                try:
                    for number in count():
                        connection.sendall(f"x-{number}: 1\r\n".encode())
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join(10)


def test_it_posts_the_text_with_its_headers(receiver: Receiver) -> None:
    reply = send(f"{receiver.url}?a=1", {"webhook-id": "msg_1", "content-type": "application/json"}, '{"a": "é"}')
    assert (reply.status, reply.error) == (204, "")
    message = receiver.messages[0]
    assert (message.path, message.body) == ("/hook?a=1", '{"a": "é"}')
    assert message.headers["webhook-id"] == "msg_1"
    assert message.headers["host"] == receiver.url.split("/")[2]


def test_the_name_stays_in_the_host_header_and_the_checked_address_is_connected_to(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        """A name that means something else each time it is asked for."""
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    reply = send(f"http://sorter.example:{port}/hook", {}, "{}", resolver=rebinding)
    assert reply.status == 204
    assert asked == ["sorter.example"]
    assert receiver.messages[0].headers["host"] == f"sorter.example:{port}"


def test_a_name_that_became_private_is_not_connected_to(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    reply = send(receiver.url.replace("127.0.0.1", "sorter.example"), {}, "{}", resolver=lambda host, port: ["127.0.0.1"])
    assert reply.status is None
    assert "private network" in reply.error
    assert receiver.messages == []


def test_the_next_address_of_a_name_is_tried(receiver: Receiver) -> None:
    """::1 is refused by nobody here and listened on by nobody: the second one answers."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.2", 0))
        assert send(receiver.url, {}, "{}", resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"]).status == 204


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda message: (302, {"location": f"{receiver.url}/elsewhere"}, b"")
    assert send(receiver.url, {}, "{}").status == 302
    assert len(receiver.messages) == 1


def test_of_a_long_answer_only_the_start_is_read(receiver: Receiver) -> None:
    receiver.answer = lambda message: (500, {"content-length": "100000000"}, b"a\x00" * 50_000)
    reply = send(receiver.url, {}, "{}")
    assert reply.status == 500
    assert 0 < len(reply.answer) <= KEPT_CHARACTERS
    assert "\x00" not in reply.answer


def test_a_wish_for_later_is_heard(receiver: Receiver) -> None:
    receiver.answer = lambda message: (429, {"Retry-After": "77"}, b"")
    assert send(receiver.url, {}, "{}").retry_after == 77


def test_an_answer_that_drips_ends_with_the_time_limit(dripping: str) -> None:
    ticks = count()
    # Each look at the clock is a second later, so that nobody waits.
    reply = send(dripping, {}, "{}", clock=lambda: float(next(ticks)))
    assert reply.status is None
    assert "time" in reply.error or "ProtocolError" in reply.error


def test_nobody_there_is_a_reply_too(at_home: None) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        reply = send(f"http://127.0.0.1:{probe.getsockname()[1]}/", {}, "{}")
    assert reply.status is None
    assert "ConnectError" in reply.error


def test_a_name_that_is_not_known_is_a_reply_too(at_home: None) -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    assert "not known" in send("https://nowhere.invalid/", {}, "{}", resolver=nobody).error


def test_who_speaks_no_tls_is_a_reply_too(receiver: Receiver) -> None:
    assert "ConnectError" in send(receiver.url.replace("http:", "https:"), {}, "{}").error
