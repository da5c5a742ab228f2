"""From events to deliveries: each endpoint has a cursor over the events, and what it wants becomes a row for it, once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from gateway.models import Event
from gateway.webhooks.horizon import settled
from gateway.webhooks.models import Delivery, Endpoint
from gateway.webhooks.payloads import bodies_of
from gateway.webhooks.types import kinds_of

# Events read at a time for an endpoint: bounds memory and the length of the transaction.
WINDOW = 500


def derive(now: datetime) -> int:
    """Write the deliveries of what happened since the last look, up to a window for each endpoint; return how many."""
    endpoints = list(Endpoint.objects.filter(disabled_at=None))
    if not endpoints:
        return 0
    horizon = settled()
    if horizon is None:
        return 0
    return sum(_derive(endpoint, horizon, now) for endpoint in endpoints if endpoint.position < horizon)


def _derive(endpoint: Endpoint, horizon: int, now: datetime) -> int:
    events = _window(endpoint, horizon)
    position = events[-1].pk if len(events) == WINDOW else horizon
    bodies = bodies_of(events)
    made = [
        Delivery(
            endpoint=endpoint, event=event, type=bodies[event.pk][0], body=bodies[event.pk][1], next_at=now, created_at=now
        )
        for event in events
    ]
    with transaction.atomic():
        # Compare-and-set: of two workers with the same window one writes it.
        still = Endpoint.objects.filter(pk=endpoint.pk, position=endpoint.position, disabled_at=None)
        if still.update(position=position) != 1:
            return 0
        Delivery.objects.bulk_create(made)
    return len(made)


def _window(endpoint: Endpoint, horizon: int) -> list[Event]:
    events = Event.objects.filter(pk__gt=endpoint.position, pk__lte=horizon, kind__in=kinds_of(endpoint.types))
    if endpoint.line_id is not None:
        events = events.filter(line=endpoint.line_id)
    return list(events.select_related("line", "item__policy").order_by("pk")[:WINDOW])
