"""Building the append-only events that go with every move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from gateway.models import Event, Item
from gateway.prepared import Insert, New
from policies.models import Line

_event = New(Event)
_events = Insert(Event)
_gathered: ContextVar[list[Event] | None] = ContextVar("gathered_events", default=None)


def actor_of(user: User | None, otherwise: str = "system") -> str:
    """Return how a person, or the system, is named in an event."""
    return f"user:{user.username}" if user is not None else otherwise


def event(
    kind: str,
    *,
    line: Line | None = None,
    item: Item | None = None,
    actor: str,
    now: datetime,
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Return an unsaved event of an item, or of a line; the caller writes it in the transaction of the move."""
    owner = item.line_id if item is not None else line.pk if line is not None else 0
    return _event(
        at=now,
        line_id=owner,
        item=item,
        kind=kind,
        from_state=from_state,
        to_state=to_state,
        actor=actor[:120],
        reason=reason[:500],
        data=dict(data or {}),
    )


def leave(*events: Event) -> None:
    """Write events in the transaction of what they tell of."""
    gathered = _gathered.get()
    if gathered is None:
        _events.all(events)
    else:
        gathered.extend(events)


@contextmanager
def together() -> Iterator[None]:
    """Write all events that are left inside together at its end, which lies inside the transaction."""
    gathered: list[Event] = []
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
    _events.all(gathered)
