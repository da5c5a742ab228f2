"""Which addresses a message may go to: not to this machine, not into the operator's own network (SSRF).

A webhook's URL is typed by a person, and the request comes from inside. What counts is the address that the name stands for
at the moment of connecting, so `network` asks here again at each attempt and connects to the very address that was checked:
a name that means another address a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from gateway.errors import BadField

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], list[str]]
MOST_CHARACTERS = 500
# Ports below 1024 belong to other services (mail, shells, file shares) that must not be poked at from here.
LOW_PORTS = {"https": 443, "http": 80}

# Beyond what `is_global` knows in every Python from 3.11.0 on: shared space of providers, relays that carry an IPv4 address
# inside (6to4, Teredo, NAT64), benchmarking, protocol assignments, and the old site-local range.
REFUSED = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
        "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
        "fec0::/10",
    )
]  # fmt: skip


class AddressRefused(BadField):
    """The URL leads where messages may not go."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts."""

    scheme: str
    host: str
    port: int
    path: str


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, asked anew each time. OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def target_of(url: str) -> Target:
    """Return the parts of a URL that may be posted to, as far as its text tells. AddressRefused otherwise."""
    if len(url) > MOST_CHARACTERS or not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise AddressRefused(f"A webhook's URL has up to {MOST_CHARACTERS} plain characters and no spaces.")
    try:
        parts = urlsplit(url)
        port = LOW_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError:
        raise AddressRefused("That is not a URL.") from None
    if parts.scheme not in LOW_PORTS or (parts.scheme == "http" and not settings.WEBHOOK_ALLOW_HTTP):
        raise AddressRefused("A webhook's URL begins with https://.")
    if not parts.hostname or "@" in parts.netloc or "#" in url or "%" in parts.netloc or "\\" in url:
        raise AddressRefused("A webhook's URL names a host, and neither a user nor a fragment.")
    if port != LOW_PORTS[parts.scheme] and port < 1024:
        raise AddressRefused(f"Port {port} belongs to another service; use 443, or one from 1024 on.")
    return Target(parts.scheme, parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def checked_addresses(host: str, port: int, resolver: Resolver = resolve) -> list[str]:
    """Return the addresses of `host`, all of them allowed. AddressRefused where one is not; OSError where it has none."""
    found = resolver(host, port)
    if not found:
        raise OSError(f"{host} has no address")
    for text in found:
        # A scope (`fe80::1%eth0`) names an interface of this machine; the address before it decides.
        if not is_allowed(ip_address(text.partition("%")[0])):
            raise AddressRefused(
                f"{host} is {text}, an address inside a private network. Messages go to public addresses only."
            )
    return found


def check_url(url: str, resolver: Resolver = resolve) -> None:
    """Refuse a URL that messages may not go to, with AddressRefused. Asks the name service: call it outside a transaction."""
    target = target_of(url)
    try:
        checked_addresses(target.host, target.port, resolver)
    except (OSError, UnicodeError):
        raise AddressRefused(f"The name {target.host} has no address now.") from None


def is_allowed(address: Address) -> bool:
    """Whether a message may go to `address`: a public one, or one in a network that the operator named."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    real = inner or address
    if any(_within(real, network) for network in allowed_networks()):
        return True
    return real.is_global and not real.is_multicast and not any(_within(real, network) for network in REFUSED)


def allowed_networks() -> list[IPv4Network | IPv6Network]:
    """Return the networks that WEBHOOK_ALLOWED_NETWORKS names. ValueError where one is not a network."""
    return [ip_network(text) for text in settings.WEBHOOK_ALLOWED_NETWORKS]


def _within(address: Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network
