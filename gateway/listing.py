"""A line's items, filtered and page by page."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from gateway import door
from gateway.errors import BadField
from gateway.models import Item
from policies.models import Line


class ItemPages(CursorPagination):
    """Newest first; a page stays what it is while new items arrive."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"

    def decode_cursor(self, request: Request) -> Any:
        """Return the place that the cursor names. Raises BadField for a cursor that was never given out."""
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                UUID(str(cursor.position))
        except (NotFound, ValueError):
            raise BadField("cursor is not one that this list gave.") from None
        return cursor


def filtered(line: Line, request: Request) -> Any:
    """Return the items that the address asks for. Raises BadField for a filter that there is not."""
    columns = {"status": "state", "decision": "answer"}
    items = Item.objects.filter(line=line)
    for name, value in request.query_params.items():
        door.refuse_unstorable(value, name)
        if name in {"status", "decision", "decided_by", "route", "reason", "external_id"}:
            items = items.filter(**{columns.get(name, name): value})
        elif name in {"since", "until"}:
            items = items.filter(**{f"received_at__{'gte' if name == 'since' else 'lt'}": _moment(name, value)})
        elif name not in {"cursor", "limit"}:
            raise BadField(f"There is no filter {name}.")
    return items


def _moment(name: str, value: object) -> Any:
    text = str(value)
    try:
        moment = parse_datetime(text)
        # The first and the last hours of the calendar exist in some zones only.
        moment = moment.astimezone(UTC) if moment is not None and timezone.is_aware(moment) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise BadField(f"{name} must be a time with its zone, such as 2026-11-21T08:00:00Z, not {text[:40]!r}.")
    return moment
