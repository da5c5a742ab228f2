"""HTTP to one server: a small pool of kept connections, a limit on time that holds, and a limit on size.

It is httpcore, the part of httpx that moves bytes: it follows no redirect, reads no proxy from the environment, decompresses
nothing, and its network backend can be wrapped, so that *every* read and write ends at the caller's deadline. A timeout for
each read alone would let a server that sends a byte now and then hold its caller for ever.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore

from inference import deadlines
from inference.remote.errors import RemoteFailed

MOST_BYTES = 16 * 1024 * 1024
# Seconds for a connection to come about; a host that is gone should not cost the time in which another try could succeed.
CONNECT_SECONDS = 2.0
KEEP_SECONDS = 30.0
CONNECTIONS = 4
TRANSIENT = {429, 502, 503, 504}
MOST_SAID = 200
# Seconds, where nobody set a deadline: sockets and locks don't understand infinity.
LONGEST_PATIENCE = 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200. The names of its headers are in small letters."""

    headers: Mapping[str, str]
    body: bytes


class _Stream(httpcore.NetworkStream):
    """A connection that keeps to the deadline of whoever uses it now."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _patience(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _patience(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _patience(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens such connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(host, port, min(CONNECT_SECONDS, _patience(timeout)), local_address, socket_options))


def _patience(timeout: float | None) -> float:
    left = deadlines.left()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return min(left, timeout or left, LONGEST_PATIENCE)


class Wire:
    """The way to one server. It may be used by several threads."""

    def __init__(self, url: str, token_env: str = "") -> None:
        self._base = url.rstrip("/")
        self._token_env = token_env
        self._pool = httpcore.ConnectionPool(
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=KEEP_SECONDS,
            network_backend=_Backend(),
        )

    def get(self, path: str) -> Reply:
        """Return the answer to a GET. Raises `RemoteFailed`."""
        return self._ask("GET", path, b"", {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the answer to a POST. Raises `RemoteFailed`."""
        return self._ask("POST", path, body, headers)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._pool.close()

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        patience = {"pool": min(deadlines.left(), LONGEST_PATIENCE)}
        sent = [("user-agent", "sluice"), *headers.items(), *self._token()]
        try:
            with self._pool.stream(
                method, self._base + path, headers=sent, content=body, extensions={"timeout": patience}
            ) as answer:
                said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                return _judged(answer.status, said, _bounded(answer.iter_stream()))
        except httpcore.ConnectTimeout as error:
            # A host that swallows packets costs as much as one that hangs.
            raise RemoteFailed("The server could not be connected to in time.", transient=True, timed_out=True) from error
        except httpcore.TimeoutException as error:
            raise RemoteFailed("The server gave no answer in time.", timed_out=True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, UnicodeError) as error:
            # Inference changes nothing, so what was lost on the way may be asked again.
            raise RemoteFailed(f"The server cannot be reached: {_short(str(error))}.", transient=True) from error

    def _token(self) -> list[tuple[str, str]]:
        if not self._token_env:
            return []
        token = os.environ.get(self._token_env, "")
        if not token or not token.isascii() or not token.isprintable():
            raise RemoteFailed(f"The environment variable {self._token_env} holds no token.")
        return [("authorization", f"Bearer {token}")]


def _bounded(chunks: Iterable[bytes]) -> bytes:
    found: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise RemoteFailed(f"The answer has more than {MOST_BYTES:,} bytes.")
        found.append(chunk)
    return b"".join(found)


def _judged(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    if status == 200:
        if headers.get("content-encoding", "identity") != "identity":
            raise RemoteFailed(f"The answer is packed ({_short(headers['content-encoding'])}), which was not asked for.")
        return Reply(headers, body)
    if 300 <= status < 400:
        raise RemoteFailed(f"The server answers with a redirect ({status}), which is not followed.")
    said = _short(body.decode("utf-8", "replace"))
    raise RemoteFailed(
        f"The server answers {status}{': ' if said else ''}{said}.", transient=status in TRANSIENT, wait=_wait(headers)
    )


def _wait(headers: Mapping[str, str]) -> float:
    """Return the seconds of Retry-After; its other form, a date, is not worth the trust in another clock."""
    given = headers.get("retry-after", "")
    return float(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0.0


def _short(text: str) -> str:
    """Return a server's words in one short line without control characters: they go into logs and pages."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= MOST_SAID else f"{line[: MOST_SAID - 3]}..."
