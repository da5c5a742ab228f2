"""A cursor on the feed never skips and never repeats, however many write meanwhile, on a real database file."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from policies.models import Line
from review.labels import append_label
from review.models import Label
from tests.races import STUCK_SECONDS, race
from tests.review.people import arrive

WRITERS, EACH = 4, 10


@pytest.mark.usefixtures("file_database")
def test_a_reader_beside_writers_gets_every_label_once_and_in_order(line: Line, ines: User, now: datetime) -> None:
    items = arrive(line, WRITERS * EACH, now=now)
    ready, committed = threading.Event(), threading.Semaphore(0)

    def write(mine: list) -> None:
        assert ready.wait(STUCK_SECONDS)
        for item in mine:
            try:
                with transaction.atomic():
                    append_label(item, "ok", blind=True, inclusion_probability=1.0, now=now)
            finally:
                committed.release()

    def read() -> list[int]:
        """Look after every commit, while the next ones are on their way."""
        seen: list[int] = []
        ready.set()
        for _ in items:
            assert committed.acquire(timeout=STUCK_SECONDS)
            after = seen[-1] if seen else 0
            page = Label.objects.filter(line=line, sequence__gt=after).order_by("sequence")
            seen += page.values_list("sequence", flat=True)[:7]
        return seen

    shares = [items[place::WRITERS] for place in range(WRITERS)]
    *errors, seen = race(*(lambda mine=mine: write(mine) for mine in shares), read)

    assert [one for one in errors if one is not None] == []
    assert seen == list(range(1, WRITERS * EACH + 1))
    assert set(Counter(Label.objects.values_list("item", flat=True)).values()) == {1}
