"""Alarms and recalls as pages list them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from gateway.compiled import Select, number
from gateway.models import Item
from monitoring.models import Alarm, Recall, RecallState
from policies.models import Line

SHOWN = 20
# A banner with more than these would be the page.
BANNERS = 5
WRONG_SHOWN = 24


def unseen_alarms(line: Line | None = None) -> list[Alarm]:
    """Return the alarms that nobody has seen, of one line or of all, newest first, with one query."""
    return _unseen.all() if line is None else _unseen_of.all(line=line.pk)


def alarms_of(line: Line) -> list[Alarm]:
    """Return the line's newest alarms, with one query."""
    return list(_alarms().filter(line=line).select_related("seen_by")[:SHOWN])


def find_alarm(alarm_id: int) -> Alarm | None:
    """Return the alarm with all that its page tells, with one query."""
    return _alarms().select_related("model_version", "seen_by").filter(pk=alarm_id).first()


def wrong_items(alarm: Alarm) -> list[Item]:
    """Return the newest of the items that the alarm counted as wrong, newest first, with one query."""
    wrong = alarm.evidence.get("errors", [])[-WRONG_SHOWN:]
    return list(Item.objects.filter(pk__in=wrong).order_by("-id")) if wrong else []


def recalls_of_items(items: list[Item]) -> list[Recall]:
    """Return the recalls that these items opened, with one query."""
    return list(_recalls().filter(item__in=[item.pk for item in items]))


def open_recalls_of(line: Line) -> list[Recall]:
    """Return the line's recalls that wait for a manager, with one query."""
    return _open.all(line=line.pk)


def recalls_of(line: Line) -> list[Recall]:
    """Return the line's newest recalls, with one query."""
    return list(_recalls().filter(line=line)[:SHOWN])


def _newest_unseen(**which: Any) -> QuerySet[Alarm]:
    return _alarms().filter(seen_at=None, **which)[:BANNERS]


def _alarms() -> QuerySet[Alarm]:
    return Alarm.objects.select_related("line", "policy", "demoted_to").order_by("-id")


def _recalls() -> QuerySet[Recall]:
    return Recall.objects.select_related("item", "handled_by").order_by("-id")


_unseen = Select(_newest_unseen)
_unseen_of = Select(lambda: _newest_unseen(line=number("line")))
_open = Select(lambda: _recalls().filter(line=number("line"), state=RecallState.OPEN)[:SHOWN])
