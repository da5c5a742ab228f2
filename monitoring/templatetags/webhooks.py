"""Webhooks inside other pages: the banner about endpoints that switched themselves off."""

from __future__ import annotations

from typing import Any

from django import template

from gateway.webhooks.endpoints import given_up
from gateway.webhooks.models import Delivery

register = template.Library()


@register.inclusion_tag("monitoring/_given_up.html")
def endpoint_banner() -> dict[str, Any]:
    """Show the endpoints that were given up, with one query. For managers: the page asks for their role."""
    return {"given_up": given_up()}


@register.filter
def outcome(delivery: Delivery) -> str:
    """Return what came of the last attempt in a few words."""
    if delivery.last_at is None:
        return "Not sent yet"
    return f"{delivery.last_status} in {delivery.last_ms} ms" if delivery.last_status else delivery.last_error
