"""Events that belong together are written with one statement, in their order, and not at all where what they tell of failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.events import event, leave, together
from gateway.models import Event
from policies.models import Line


def test_in_their_order_with_one_statement(line: Line, now: datetime, django_assert_num_queries: Any) -> None:
    before = Event.objects.count()
    with django_assert_num_queries(1), together():
        for kind in ("one", "two", "three"):
            leave(event(kind, line=line, actor="system", now=now))
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)[before:]) == ["one", "two", "three"]


def test_what_failed_leaves_none(line: Line, now: datetime) -> None:
    with pytest.raises(ValueError, match="no"), together():
        leave(event("one", line=line, actor="system", now=now))
        raise ValueError("no")
    assert not Event.objects.filter(kind="one").exists()
    leave(event("two", line=line, actor="system", now=now))
    assert Event.objects.filter(kind="two").exists()
