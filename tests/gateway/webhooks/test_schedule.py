"""What follows from an answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.webhooks.models import DeliveryState
from gateway.webhooks.schedule import DAY, DELAYS, JITTER, MOST_ATTEMPTS, Reply, after, seconds_of


def test_the_delays_are_the_specifications() -> None:
    assert DELAYS == (5, 5 * 60, 30 * 60, 3 * 3600, DAY, DAY, DAY, DAY)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_two_hundreds_are_taken(status: int) -> None:
    assert after(Reply(status, 5), 1, "a").state == DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 451])
def test_four_hundreds_are_final(status: int) -> None:
    assert after(Reply(status, 5), 1, "a") == after(Reply(status, 5), 7, "b")
    assert after(Reply(status, 5), 1, "a").state == DeliveryState.FAILED


@pytest.mark.parametrize("status", [None, 301, 408, 425, 429, 500, 503])
def test_the_rest_comes_again_on_the_schedule(status: int | None) -> None:
    for attempts, delay in enumerate(DELAYS, start=1):
        then = after(Reply(status, 5), attempts, "a")
        assert then.state == DeliveryState.PENDING
        assert then.delay is not None
        assert delay <= then.delay <= delay * (1 + JITTER)
    assert after(Reply(status, 5), MOST_ATTEMPTS, "a").state == DeliveryState.FAILED


def test_what_failed_together_does_not_come_back_together() -> None:
    delays = {after(Reply(500, 5), 2, f"delivery {number}").delay for number in range(50)}
    assert len(delays) == 50
    assert after(Reply(500, 5), 2, "a") == after(Reply(500, 5), 2, "a")


def test_the_endpoints_own_wish_counts_where_it_is_later() -> None:
    assert after(Reply(429, 5, retry_after=3600.0), 1, "a").delay == 3600.0
    assert after(Reply(429, 5, retry_after=1.0), 2, "a").delay == after(Reply(429, 5), 2, "a").delay
    assert after(Reply(503, 5, retry_after=1e12), 1, "a").delay == DAY


def test_a_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    assert seconds_of("120", now) == 120
    assert seconds_of("Sat, 21 Nov 2026 08:01:00 GMT", now) == 60
    assert seconds_of("Sat, 21 Nov 2026 07:00:00 -0000", now) == 0
    for nonsense in (
        "",
        "soon",
        "-5",
        "1.5",
        "Sat, 99 Nov 2026 08:01:00 GMT",
        "Sat, 21 Nov 2026 08:01:00 +99999999999999999999",
    ):
        assert seconds_of(nonsense, now) is None
