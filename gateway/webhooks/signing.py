"""Secrets and signatures after Standard Webhooks; the library makes them."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from standardwebhooks import Webhook

from gateway.webhooks.models import Delivery, Endpoint

SECRET_BYTES = 24


def new_secret() -> str:
    """Return a fresh secret as the specification writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def headers_of(delivery: Delivery, endpoint: Endpoint, now: datetime) -> dict[str, str]:
    """Return the headers of an attempt at `now` (in UTC): signed with each secret that is valid then."""
    valid = [endpoint.secret]
    if endpoint.previous_secret and endpoint.previous_until is not None and now < endpoint.previous_until:
        valid.append(endpoint.previous_secret)
    return {
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(delivery.message_id, now, delivery.body) for secret in valid),
        "content-type": "application/json",
        "user-agent": "Sluice-Webhooks/1",
    }
