"""Claiming what is due, sending it, and writing down what came of it. At least once: a killed sender's claims run out.

A claim is a compare-and-set on `next_at`, which it moves past the time that an attempt may take; the outcome is written
only by who still holds the claim. Threads do nothing but wait for the network; the database is touched by one thread and
never while it waits. A look at what is due and a commit of what came of it cost about the same for one message as for
many, so a place takes several at a time where several are due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
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
# Messages that a place takes at a time, and how long it goes on beginning them: a slow endpoint's place gives the rest back.
CHUNK = 8
CHUNK_SECONDS = 2.0
# A claim lasts longer than its chunk and the last attempt of it may take, the name service included.
LEASE = timedelta(seconds=90)
# What came of attempts is known and cannot be written: so long is it tried again before the claims are left to run out.
UNWRITTEN_SECONDS, PAUSE_SECONDS = 60.0, 1.0
# How long a round claims new work; then it ends, so that a worker that is told to stop can.
ROUND_SECONDS = 10.0

Send = Callable[[str, Mapping[str, str], str], Reply]
Outcome = tuple[Delivery, Reply]
Flying = dict[Future[list[Outcome]], list[Delivery]]

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
    trouble: DatabaseError | None = None
    made = 0
    while True:
        started = 0
        if time.monotonic() < deadline and trouble is None:
            try:
                started = derive(timezone.now())
                for chunk in _claim_due(Counter(chunk[0].endpoint_id for chunk in flying.values())):
                    flying[pool.submit(_send_chunk, send, chunk)] = chunk
                    started += 1
            except DatabaseError as error:
                # What is on the wire is still waited for and written down.
                trouble = error
        if not flying and not started:
            break
        done, _ = wait(flying, timeout=1.0, return_when=FIRST_COMPLETED)
        landed, rest = _landed(flying, done)
        _write(landed, rest)
        made += len(landed)
    if trouble is not None:
        raise trouble
    return made


def _landed(flying: Flying, done: Iterable[Future[list[Outcome]]]) -> tuple[list[Outcome], list[Delivery]]:
    """Take chunks that are over out of those that fly; return what came of their messages, and the messages not begun."""
    landed: list[Outcome] = []
    rest: list[Delivery] = []
    for future in done:
        chunk, outcomes = flying.pop(future), future.result()
        landed += outcomes
        rest += chunk[len(outcomes) :]
    return landed, rest


def _write(landed: list[Outcome], rest: list[Delivery]) -> None:
    """Write what came of attempts and give back what was not begun; a database in trouble is asked again for a while.

    Who was told already would be told once more otherwise, after the claims have run out.
    """
    until = time.monotonic() + UNWRITTEN_SECONDS
    while True:
        try:
            record(landed, timezone.now())
            _give_back(rest, timezone.now())
        except (OperationalError, InterfaceError):
            if time.monotonic() > until:
                raise
            logger.warning("what came of %d webhooks cannot be written yet", len(landed))
            time.sleep(PAUSE_SECONDS)
            # A connection that broke with its server is made anew.
            connection.close_if_unusable_or_obsolete()
        else:
            return


def _send_chunk(send: Send, chunk: list[Delivery]) -> list[Outcome]:
    """Send messages to one endpoint one after the other, the first in any case; return what came of those that were begun."""
    until = time.monotonic() + CHUNK_SECONDS
    outcomes: list[Outcome] = []
    for delivery in chunk:
        if outcomes and time.monotonic() > until:
            break
        outcomes.append((delivery, _attempt(send, delivery)))
    return outcomes


def _attempt(send: Send, delivery: Delivery) -> Reply:
    """Return what came of an attempt; a defect of ours fails its own message only, and is told in the log."""
    try:
        return send(delivery.endpoint.url, headers_of(delivery, delivery.endpoint, timezone.now()), delivery.body)
    except Exception as error:
        logger.exception("a webhook could not be sent")
        return Reply(None, 0, error=f"{type(error).__name__} in Sluice")


def _claim_due(busy: Counter[int]) -> list[list[Delivery]]:
    """Claim what is due, for each endpoint no more chunks than it has places left; its places share it evenly."""
    chunks: list[list[Delivery]] = []
    places = PLACES - busy.total()
    for endpoint in Endpoint.objects.filter(disabled_at=None).order_by("?"):
        free = min(PLACES_EACH - busy[endpoint.pk], places - len(chunks))
        if free > 0 and (claimed := claim(endpoint, timezone.now(), free * CHUNK)):
            chunks += [claimed[place::free] for place in range(min(free, len(claimed)))]
    return chunks


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


def record(outcomes: list[Outcome], now: datetime) -> None:
    """Write what came of attempts, each only where its claim still holds, and what that says about the endpoints."""
    if not outcomes:
        return
    with transaction.atomic():
        for delivery, reply in outcomes:
            held = Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim, state=DeliveryState.PENDING)
            held.update(**_columns(delivery, reply, now))
        for endpoint in {delivery.endpoint for delivery, _ in outcomes}:
            note_outcome(endpoint, [reply for delivery, reply in outcomes if delivery.endpoint == endpoint], now)


def _give_back(deliveries: list[Delivery], now: datetime) -> None:
    """End claims on messages that were not begun."""
    for delivery in deliveries:
        Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim).update(claim=None, next_at=now)


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
