"""What follows from the answer of an endpoint. Pure.

The delays are those of the Standard Webhooks specification: 5 s, 5 min, 30 min, 3 h, then 24 h four times.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gateway.webhooks.models import DeliveryState

DAY = 24 * 3600.0
# Seconds after the first, second, ... failed attempt.
DELAYS = (5.0, 300.0, 1800.0, 3 * 3600.0, DAY, DAY, DAY, DAY)
MOST_ATTEMPTS = len(DELAYS) + 1
# A delay is longer by up to this share, so that what failed together does not come back together.
JITTER = 0.2
# Refusals that speak of now and not of the message: Request Timeout, Too Early, Too Many Requests.
PASSING = frozenset({408, 425, 429})
GONE = 410


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one attempt. `status` is None where nobody answered; `error` then says why."""

    status: int | None
    ms: int
    error: str = ""
    answer: str = ""
    # The endpoint's own wish, in seconds from now.
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """How it goes on: with a delay in seconds while it is pending, at the end without."""

    state: DeliveryState
    delay: float | None = None


def after(reply: Reply, attempts: int, key: str) -> Next:
    """Return what follows from the answer to attempt number `attempts`; `key` makes the jitter reproducible."""
    if reply.status is not None and 200 <= reply.status < 300:
        return Next(DeliveryState.DELIVERED)
    refused = reply.status is not None and 400 <= reply.status < 500 and reply.status not in PASSING
    if refused or attempts >= MOST_ATTEMPTS:
        return Next(DeliveryState.FAILED)
    planned = DELAYS[attempts - 1] * (1 + JITTER * _fraction(f"{key}:{attempts}"))
    return Next(DeliveryState.PENDING, max(planned, min(reply.retry_after or 0.0, DAY)))


def seconds_of(retry_after: str, now: datetime) -> float | None:
    """Return a `Retry-After` (RFC 9110: seconds, or a date) in seconds from `now`; None where it says nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is in UTC.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _fraction(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
