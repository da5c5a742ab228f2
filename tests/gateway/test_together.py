"""Photos that go down the road together: each has its own end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from gateway import door, routing
from gateway.arrivals import Arrival
from gateway.company import Ticket
from gateway.models import Item
from gateway.recording import Outcome
from inference.errors import InputRefused
from policies.models import Line
from tests.conftest import photo

pytestmark = pytest.mark.usefixtures("media_folder")


def carried(line: Line, now: datetime, *reads: Callable[[], Arrival]) -> list[Ticket[Any, list[Outcome]]]:
    tickets = [Ticket(routing._Entry(line, lambda read=read: [read()], "camera", now, lambda outcomes: None)) for read in reads]
    routing._carry(tickets)
    return tickets


def good(line: Line, seed: int) -> Callable[[], Arrival]:
    return lambda: door.arrival(line, photo(seed), {})


@pytest.mark.parametrize("error", [InputRefused("empty", "Nothing", "0 bytes"), ZeroDivisionError("nobody foresaw it")])
def test_one_that_cannot_be_read_takes_nobody_with_it(line: Line, now: datetime, error: Exception) -> None:
    def bad() -> Arrival:
        raise error

    first, second, third = carried(line, now, good(line, 1), bad, good(line, 2))
    assert second.error is error
    assert {outcome.item.pk for one in (first, third) for outcome in one.answer()} == set(
        Item.objects.values_list("pk", flat=True)
    )


def test_who_brings_an_id_that_is_taken_takes_nobody_with_it(line: Line, now: datetime) -> None:
    Line.objects.filter(pk=line.pk).update(unique_external_ids=True)
    line.refresh_from_db()

    def named(seed: int) -> Callable[[], Arrival]:
        return lambda: door.arrival(line, photo(seed), {"external_id": "7"})

    first, second, third = carried(line, now, named(1), named(2), good(line, 3))
    assert len([one for one in (first, second) if one.error is None]) == 1
    assert third.error is None
    assert Item.objects.count() == 2
