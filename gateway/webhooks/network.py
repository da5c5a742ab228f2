"""One attempt over the wire: to a checked address, within a time limit as a whole, and without following anybody anywhere.

httpx's engine (httpcore) is used directly, since it lets us make the connection ourselves: the address that was checked is
the one that is connected to, while the name stays in the Host header and in the certificate's check. There is no proxy and
no redirect.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import certifi
import httpcore
from django.conf import settings
from django.utils import timezone

from gateway.webhooks.addresses import AddressRefused, Resolver, checked_addresses, resolve, target_of
from gateway.webhooks.schedule import Reply, seconds_of

# Seconds for everything: the name, the connection, the request and as much of the answer as is read.
TIME_LIMIT = 15.0
# Of the answer only the start is read; what is kept of it is for people to look at.
READ_BYTES = 4096
KEPT_CHARACTERS = 500

Clock = Callable[[], float]


class _Limited(httpcore.NetworkStream):
    """A connection all of whose waits share one deadline, so that a dripping answer cannot hold a sender for hours."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float, clock: Clock) -> None:
        self._inner, self._deadline, self._clock = inner, deadline, clock

    def _left(self) -> float:
        return seconds_left(self._deadline, self._clock)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Limited(self._inner.start_tls(ssl_context, server_hostname, self._left()), self._deadline, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Checked(httpcore.NetworkBackend):
    """Makes connections to checked addresses only."""

    def __init__(self, resolver: Resolver, deadline: float, clock: Clock) -> None:
        self._resolver, self._deadline, self._clock = resolver, deadline, clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = checked_addresses(host, port, self._resolver)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port)
            except httpcore.ConnectError:
                # The next address of the same name may answer.
                continue
        return self._connect(addresses[-1], port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        left = seconds_left(self._deadline, self._clock)
        return _Limited(httpcore.SyncBackend().connect_tcp(address, port, left), self._deadline, self._clock)


def seconds_left(deadline: float, clock: Clock) -> float:
    """Return the seconds until `deadline`; ReadTimeout where there are none."""
    left = deadline - clock()
    if left <= 0:
        raise httpcore.ReadTimeout("the time was over")
    return left


def send(
    url: str,
    headers: Mapping[str, str],
    body: str,
    *,
    resolver: Resolver = resolve,
    seconds: float = TIME_LIMIT,
    clock: Clock = time.monotonic,
) -> Reply:
    """Post `body` to `url` and return what came of it; whatever the other side does, it is a Reply and no exception."""
    start = clock()
    try:
        target = target_of(url)
        backend = _Checked(resolver, start + seconds, clock)
        with httpcore.ConnectionPool(ssl_context=_trust(), network_backend=backend, http2=False) as pool:
            return _ask(pool, url, {"host": _host(target.host, target.port, target.scheme), **headers}, body, start, clock)
    except (
        AddressRefused,
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        OSError,
        UnicodeError,
    ) as error:
        words = error.detail if isinstance(error, AddressRefused) else f"{type(error).__name__}: {error}"
        return Reply(None, _ms(start, clock), error=words[:300])


def _ask(pool: httpcore.ConnectionPool, url: str, headers: Mapping[str, str], body: str, start: float, clock: Clock) -> Reply:
    asked = {**headers, "connection": "close", "accept-encoding": "identity"}
    with pool.stream("POST", url, headers=list(asked.items()), content=body.encode()) as response:
        kept = b""
        for chunk in response.iter_stream():
            kept += chunk[: READ_BYTES - len(kept)]
            if len(kept) >= READ_BYTES:
                break
        found = dict(response.headers)
    retry_after = seconds_of(found.get(b"retry-after", found.get(b"Retry-After", b"")).decode("latin-1"), timezone.now())
    text = kept.decode("utf-8", "replace").replace("\x00", "")[:KEPT_CHARACTERS]
    return Reply(response.status, _ms(start, clock), answer=text, retry_after=retry_after)


def _host(host: str, port: int, scheme: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == {"https": 443, "http": 80}[scheme] else f"{name}:{port}"


def _ms(start: float, clock: Clock) -> int:
    return round((clock() - start) * 1000)


@lru_cache
def _trust() -> ssl.SSLContext:
    """The public authorities, or the operator's own; read once, since that takes longer than a message."""
    return ssl.create_default_context(cafile=settings.WEBHOOK_CA_FILE or certifi.where())
