"""The list of items: what it can be filtered by, and its pages."""

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

TIMES = {"since", "until"}


class ItemPages(CursorPagination):
    """Newest first; a page stays what it is while new items arrive."""

    ordering: Any = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """Return the order in which one index has a page side by side: where times are asked for, that of arrival."""
        return ("-received_at", "-id") if TIMES & set(request.query_params) else ("-id",)

    def decode_cursor(self, request: Request) -> Any:
        """Return the place that the cursor names. Raises BadField for a cursor that was never given out."""
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                _check_position(str(cursor.position), request)
        except (NotFound, ValueError, BadField):
            raise BadField("cursor is not one that this list gave.") from None
        return cursor


def filtered(line: Line, request: Request) -> Any:
    """Return the line's items that the request's parameters ask for. Raises BadField for what it cannot mean."""
    columns = {"status": "state", "decision": "answer"}
    items = Item.objects.filter(line=line)
    for name, value in request.query_params.items():
        door.refuse_unstorable(value, name)
        if name in {"status", "decision", "decided_by", "route", "reason", "external_id"}:
            items = items.filter(**{columns.get(name, name): value})
        elif name in TIMES:
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


def _check_position(position: str, request: Request) -> None:
    """Raise ValueError or BadField where a cursor's position is none of the order that the request asks for."""
    if TIMES & set(request.query_params):
        _moment("cursor", position.replace(" ", "T"))
    else:
        UUID(position)
