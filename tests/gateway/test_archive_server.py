"""Archives through the real server: lines come while photos go, and nobody who stalls or hangs up stops the others."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import photo
from tests.gateway.packing import tar
from tests.gateway.test_crash import HOST, Server, folder, kept, secret, server

__all__ = ["folder", "secret", "server"]

PATH = "/api/v1/lines/phones/items/archive?external_ids=names"


@pytest.fixture
def running(server: Server, secret: str, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, up, and soon impatient."""
    monkeypatch.setenv("ARCHIVE_PATIENCE_SECONDS", "1")
    server.start()
    return server


def members(count: int) -> Iterator[bytes]:
    """Yield the parts of a tar archive: a file each, and the end."""
    done = 0
    for number in range(count):
        data = tar([(f"p{one}.jpg", photo(one)) for one in range(number + 1)], ended=False)
        yield data[done:]
        done = len(data)
    yield bytes(1024)


def begin(connection: http.client.HTTPConnection, secret: str, key: str) -> None:
    connection.putrequest("POST", PATH)
    connection.putheader("Authorization", f"Bearer {secret}")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Idempotency-Key", key)
    connection.endheaders()


def chunk(connection: http.client.HTTPConnection, data: bytes) -> None:
    connection.send(b"%x\r\n%b\r\n" % (len(data), data))


def line_of(response: http.client.HTTPResponse) -> dict[str, Any]:
    return dict(json.loads(response.readline()))


def whole(server: Server, secret: str, key: str, count: int) -> list[dict[str, Any]]:
    """Send an archive at once and return its lines."""
    with closing(http.client.HTTPConnection(HOST, server.port, timeout=30)) as connection:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key, "Content-Type": "application/x-tar"}
        connection.request("POST", PATH, b"".join(members(count)), headers)
        return [json.loads(line) for line in connection.getresponse().read().splitlines()]


def ids(found: list[dict[str, Any]]) -> dict[str, str]:
    return {line["item"]["external_id"]: line["item"]["id"] for line in found if "item" in line}


def check_whole(server: Server, secret: str, key: str, told: list[dict[str, Any]], folder: Path) -> None:
    """Sent again, the archive is completed: what was told is told again, and everything is there once."""
    again = whole(server, secret, key, 4)
    assert again[-1]["complete"], again[-1]
    assert [line["index"] for line in again[:-1]] == [0, 1, 2, 3]
    assert ids(told).items() <= ids(again).items()
    assert sorted(external for _, external, _ in kept(folder)) == ["p0", "p1", "p2", "p3"]


@pytest.mark.django_db(transaction=True)
def test_lines_come_while_photos_go(running: Server, secret: str, folder: Path) -> None:
    first, second, *rest = members(4)
    with closing(http.client.HTTPConnection(HOST, running.port, timeout=30)) as connection:
        begin(connection, secret, "k")
        chunk(connection, first)
        response = connection.getresponse()
        told = [line_of(response)]
        chunk(connection, second)
        told.append(line_of(response))
        for part in rest:
            chunk(connection, part)
        connection.send(b"0\r\n\r\n")
        told += [json.loads(line) for line in response.read().splitlines()]
    assert [line.get("index") for line in told] == [0, 1, 2, 3, None]
    assert told[-1]["complete"]
    check_whole(running, secret, "k", told, folder)


@pytest.mark.django_db(transaction=True)
def test_who_hangs_up_loses_nothing_that_was_told(running: Server, secret: str, folder: Path) -> None:
    first, second, *_ = members(4)
    with closing(http.client.HTTPConnection(HOST, running.port, timeout=30)) as connection:
        begin(connection, secret, "k")
        chunk(connection, first)
        response = connection.getresponse()
        told = [line_of(response)]
        chunk(connection, second[: len(second) // 2])
        response.close()
    check_whole(running, secret, "k", told, folder)


@pytest.mark.django_db(transaction=True)
def test_who_stalls_is_told_so_and_stops_nobody(running: Server, secret: str, folder: Path) -> None:
    """More of them than there are places: each gives its own back, and the server answers others meanwhile."""
    first, *_ = members(4)
    silent = []
    for _ in range(3):
        connection = http.client.HTTPConnection(HOST, running.port, timeout=30)
        silent.append(connection)
        begin(connection, secret, "k")
        chunk(connection, first)
        response = connection.getresponse()
        told = [line_of(response)]
        end = line_of(response)
        assert (end["complete"], end["problem"]["code"]) == (False, "archive-stalled")
    # All three connections are still open.
    check_whole(running, secret, "k", told, folder)
    for connection in silent:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_who_never_listens_is_given_room_for_the_lines(running: Server, secret: str) -> None:
    """Many clients send everything before they read anything."""
    with closing(socket.create_connection((HOST, running.port), timeout=30)) as connection:
        body = b"".join(members(60))
        head = f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        got = b""
        while b'"complete"' not in got:
            part = connection.recv(65536)
            assert part, got[-300:]
            got += part
    assert got.count(b'"index"') == 60
