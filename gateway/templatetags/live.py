"""Pages that change by themselves."""

from __future__ import annotations

from django import template

from gateway.live import ticket_url
from policies.models import Line

register = template.Library()


@register.simple_tag
def live_url(line: Line | None = None) -> str:
    """Return what goes into `data-live`: the address at which the page asks whether anything moved."""
    return ticket_url(line)
