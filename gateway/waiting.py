"""Waiting for people on behalf of a caller, without letting callers take all the server's threads."""

from __future__ import annotations

import threading
import time
from uuid import UUID

from django.conf import settings

from gateway.models import Item, ItemState
from gateway.stopping import is_stopping

_places = threading.BoundedSemaphore(settings.MAX_WAITING_REQUESTS)
STEP_SECONDS = 0.2


def wait_for_decision(item_id: UUID, seconds: float) -> None:
    """Return when the item is decided, the time is over, or too many others wait already."""
    deadline = time.monotonic() + seconds
    if seconds <= 0 or not _places.acquire(blocking=False):
        return
    try:
        while not Item.objects.filter(pk=item_id, state=ItemState.DECIDED).exists():
            remaining = deadline - time.monotonic()
            # A server that stops answers what it took, and does not wait for people.
            if remaining <= 0 or is_stopping():
                return
            time.sleep(min(STEP_SECONDS, remaining))
    finally:
        _places.release()
