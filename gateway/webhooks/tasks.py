"""What the worker does for webhooks. Each task can run twice and be lost without harm: what is due stands in the database."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from gateway.webhooks import redelivery, sending


@shared_task
def send_webhooks() -> int:
    """Send what is due, and return how many attempts were made. The clock is its wake: a post never pays for a message."""
    return sending.run_round()


@shared_task
def forget_deliveries() -> int:
    """Forget deliveries that ended long ago."""
    return redelivery.forget(timezone.now())
