"""Sending once more: a test, one delivery, or all that were given up; and forgetting what is long over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from gateway.errors import MovedMeanwhile
from gateway.webhooks.endpoints import EndpointDisabled
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from gateway.webhooks.payloads import test_body
from gateway.webhooks.types import TEST

# Rows deleted in one statement, so that a writer never waits long.
CHUNK = 1000


def send_test(endpoint: Endpoint, *, now: datetime) -> Delivery:
    """Queue a test message. Raises EndpointDisabled."""
    _refuse_disabled(endpoint)
    body = test_body(endpoint.name, now)
    return Delivery.objects.create(endpoint=endpoint, type=TEST, body=body, next_at=now, created_at=now)


def redeliver(delivery: Delivery, *, now: datetime) -> None:
    """Send a delivery again, with all its attempts; its `webhook-id` stays. Raises MovedMeanwhile while it is being sent."""
    _refuse_disabled(delivery.endpoint)
    resting = Delivery.objects.filter(pk=delivery.pk, claim=None)
    if resting.update(state=DeliveryState.PENDING, attempts=0, next_at=now, ended_at=None) != 1:
        raise MovedMeanwhile("It is being sent at this moment.")


def redeliver_failed(endpoint: Endpoint, *, now: datetime) -> int:
    """Send again what was given up, and return how many there are. Raises EndpointDisabled."""
    _refuse_disabled(endpoint)
    failed = Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.FAILED)
    return failed.update(state=DeliveryState.PENDING, attempts=0, next_at=now, ended_at=None, claim=None)


def forget(now: datetime) -> int:
    """Delete deliveries that ended longer ago than they are kept, and return how many."""
    old = Delivery.objects.filter(ended_at__lt=now - timedelta(days=settings.WEBHOOK_KEEP_DAYS))
    count = 0
    while found := list(old.values_list("pk", flat=True)[:CHUNK]):
        count += Delivery.objects.filter(pk__in=found).delete()[0]
    return count


def _refuse_disabled(endpoint: Endpoint) -> None:
    if endpoint.disabled_at is not None:
        raise EndpointDisabled(f"{endpoint.name} is switched off; switch it on first.")
