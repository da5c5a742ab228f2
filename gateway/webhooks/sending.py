"""Claiming what is due, sending it, and writing down what came of it. At least once: a killed sender's claims run out.

A claim is a compare-and-set on `next_at`, which it moves past the time that an attempt may take; the outcome is written
only by who still holds the claim. Threads do nothing but wait for the network; the database is touched by one thread and
never while it waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from gateway.webhooks import network
from gateway.webhooks.endpoints import note_outcome
from gateway.webhooks.feed import derive
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from gateway.webhooks.schedule import Reply, after
from gateway.webhooks.signing import headers_of

logger = logging.getLogger(__name__)

# Messages on the wire at the same time: for all endpoints together, and for one, so that a slow one leaves room for the others.
PLACES = 32
PLACES_EACH = 4
# A claim lasts longer than an attempt may take, the name service included.
LEASE = timedelta(seconds=90)
# How long a round claims new work; then it ends, so that a worker that is told to stop can.
ROUND_SECONDS = 10.0

Send = Callable[[str, Mapping[str, str], str], Reply]
Flying = dict[Future[Reply], Delivery]

# One round a process: the clock wakes the worker again while a round waits for a slow endpoint.
_round = threading.Lock()


def run_round(send: Send = network.send, seconds: float = ROUND_SECONDS) -> int:
    """Derive, claim and send until nothing is due or the time is over; return how many attempts were made."""
    if not _round.acquire(blocking=False):
        return 0
    try:
        with ThreadPoolExecutor(PLACES, thread_name_prefix="webhook") as pool:
            return _fly(pool, send, time.monotonic() + seconds)
    finally:
        _round.release()


def _fly(pool: ThreadPoolExecutor, send: Send, deadline: float) -> int:
    flying: Flying = {}
    made = 0
    while True:
        started = derived = 0
        if time.monotonic() < deadline:
            derived = derive(timezone.now())
            for delivery in _claim_due(Counter(one.endpoint_id for one in flying.values())):
                headers = headers_of(delivery, delivery.endpoint, timezone.now())
                flying[pool.submit(send, delivery.endpoint.url, headers, delivery.body)] = delivery
                started += 1
        made += started
        if not flying and not started and not derived:
            return made
        done, _ = wait(flying, timeout=1.0, return_when=FIRST_COMPLETED)
        record([(flying.pop(future), _reply(future)) for future in done], timezone.now())


def _reply(future: Future[Reply]) -> Reply:
    """Return what came of an attempt; a defect of ours fails its own message only, and is told in the log."""
    error = future.exception()
    if error is None:
        return future.result()
    logger.error("a webhook could not be sent", exc_info=error)
    return Reply(None, 0, error=f"{type(error).__name__} in Sluice")


def _claim_due(busy: Counter[int]) -> list[Delivery]:
    """Claim what is due, for each endpoint no more than it has places left."""
    claimed: list[Delivery] = []
    places = PLACES - busy.total()
    for endpoint in Endpoint.objects.filter(disabled_at=None).order_by("?"):
        free = min(PLACES_EACH - busy[endpoint.pk], places - len(claimed))
        claimed += claim(endpoint, timezone.now(), free) if free > 0 else []
    return claimed


def claim(endpoint: Endpoint, now: datetime, count: int) -> list[Delivery]:
    """Claim up to `count` deliveries of an endpoint that are due; what another sender claimed meanwhile is left to it."""
    due = Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.PENDING, next_at__lte=now)
    found = list(due.order_by("next_at", "pk").values_list("pk", flat=True)[:count])
    token = uuid4()
    if not found or not due.filter(pk__in=found).update(claim=token, next_at=now + LEASE):
        return []
    mine = list(Delivery.objects.filter(pk__in=found, claim=token).order_by("pk"))
    for delivery in mine:
        delivery.endpoint = endpoint
    return mine


def record(outcomes: list[tuple[Delivery, Reply]], now: datetime) -> None:
    """Write what came of attempts, each only where its claim still holds, and what that says about the endpoints."""
    if not outcomes:
        return
    with transaction.atomic():
        for delivery, reply in outcomes:
            held = Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim, state=DeliveryState.PENDING)
            held.update(**_columns(delivery, reply, now))
        for endpoint in {delivery.endpoint for delivery, _ in outcomes}:
            note_outcome(endpoint, [reply for delivery, reply in outcomes if delivery.endpoint == endpoint], now)


def _columns(delivery: Delivery, reply: Reply, now: datetime) -> dict[str, object]:
    attempts = delivery.attempts + 1
    then = after(reply, attempts, delivery.id.hex)
    ended = then.delay is None
    return {
        "state": then.state,
        "attempts": attempts,
        "next_at": now + timedelta(seconds=then.delay or 0.0),
        "claim": None,
        "ended_at": now if ended else None,
        "last_at": now,
        "last_status": reply.status,
        "last_error": reply.error,
        "last_answer": reply.answer,
        "last_ms": reply.ms,
    }
