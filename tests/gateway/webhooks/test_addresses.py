"""Messages go to public addresses, or to networks that the operator named."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from gateway.webhooks.addresses import AddressRefused, check_url, checked_addresses, is_allowed, target_of

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",  # noqa: S104
    "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.88.99.1", "198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "203.0.113.7",
    "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1", "2001::1", "2002:7f00:1::1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:100.64.0.1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:2800:220:1::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_refused(text: str) -> None:
    assert not is_allowed(ip_address(text))
    with pytest.raises(AddressRefused):
        check_url("https://example.org/hook", lambda host, port: [text])


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_not(text: str) -> None:
    assert is_allowed(ip_address(text))


def test_an_operator_may_allow_a_network(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["10.20.0.0/16", "fd00::/8"]
    for text in ("10.20.3.4", "::ffff:10.20.3.4", "fd12::1", "8.8.8.8"):
        assert is_allowed(ip_address(text))
    for text in ("10.21.0.1", "127.0.0.1", "fc00::1"):
        assert not is_allowed(ip_address(text))


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        checked_addresses("example.org", 443, lambda host, port: ["8.8.8.8", "10.0.0.1"])


def test_a_scoped_address_is_judged_without_its_scope() -> None:
    with pytest.raises(AddressRefused):
        checked_addresses("example.org", 443, lambda host, port: ["fe80::1%eth0"])


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost", "[::1]", "[::ffff:7f00:1]"])
def test_other_ways_to_write_this_machine(host: str) -> None:
    """With the real name service: it understands all of these."""
    with pytest.raises(AddressRefused):
        check_url(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org/", "file:///etc/passwd", "https://", "https:///hook", "http://example.org/",
        "https://me:secret@example.org/", "https://example.org@10.0.0.1/", "https://example.org/#part", "https://ex ample.org/",
        "https://example.org/\r\nhost: other", "https://example.org:22/", "https://example.org:80/", "https://example.org:0/",
        "https://example.org:99999/", "https://example.org:port/", "https://[::1/", "https://exämple.org/", "https://a%2eb/",
        "https://example.org\\@10.0.0.1/", "https://example.org/" + "a" * 500,
    ],
)  # fmt: skip
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_of(url)


def test_a_good_url_in_its_parts(settings: Any) -> None:
    target = target_of("https://example.org:8443/hook?a=1")
    assert (target.scheme, target.host, target.port, target.path) == ("https", "example.org", 8443, "/hook?a=1")
    assert target_of("https://[2606:2800::1]").port == 443
    settings.WEBHOOK_ALLOW_HTTP = True
    assert target_of("http://example.org/").port == 80


def test_a_name_without_an_address_is_refused_at_creation() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(AddressRefused, match="no address"):
        check_url("https://nowhere.invalid/", nobody)
