"""An event whose transaction commits late is not passed over, however many later ones were seen before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

import pytest
from django.db import connection, connections, transaction

from gateway.events import event
from gateway.models import Event
from gateway.webhooks import feed, horizon
from gateway.webhooks.models import Delivery, Endpoint
from policies.models import Line
from tests.races import STUCK_SECONDS, race

on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has one writer at a time; SLUICE_TEST_DATABASE=postgresql runs this"
)


def write(line: Line, now: datetime) -> int:
    one = event("dataset.frozen", line=line, actor="user:max", now=now, to_state="dataset 1", data={"rows": 1})
    one.save(force_insert=True)
    return one.pk


@contextmanager
def slow_writer(line: Line, now: datetime, *, undo: bool = False) -> Iterator[Callable[[], None]]:
    """Another connection that has written an event and not yet committed; call what is yielded to let it end."""
    written, go = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                write(line, now)
                written.set()
                assert go.wait(STUCK_SECONDS)
                if undo:
                    transaction.set_rollback(True)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> None:
        go.set()
        thread.join(STUCK_SECONDS)

    try:
        assert written.wait(STUCK_SECONDS)
        yield end
    finally:
        end()


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("undo", [False, True])
def test_a_late_commit_below_is_waited_for(line: Line, now: datetime, undo: bool) -> None:
    with slow_writer(line, now, undo=undo) as end:
        later = write(line, now)
        assert Event.objects.get().pk == later
        assert horizon.settled(wait=0.0) is None

        steps: list[float] = []

        def pause(seconds: float) -> None:
            """Where the product would sleep, let the other one commit."""
            steps.append(seconds)
            end()

        assert horizon.settled(pause=pause) == later
        assert len(steps) == 1
    assert Event.objects.count() == (1 if undo else 2)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_who_began_after_the_look_is_not_waited_for(line: Line, now: datetime) -> None:
    """Else a busy line, on which somebody is always writing, would never be told of."""
    with ExitStack() as others, slow_writer(line, now) as end:
        seen = write(line, now)

        def pause(seconds: float) -> None:
            """Another begins before the first one ends."""
            others.enter_context(slow_writer(line, now))
            end()

        assert horizon.settled(pause=pause) == seen
        assert len(horizon._writers()) == 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_reader_and_a_claimer_hold_up_nothing(line: Line, now: datetime) -> None:
    write(line, now)
    with transaction.atomic():
        list(Event.objects.select_for_update())
        (result,) = race(lambda: horizon.settled(wait=0.0))
    assert result is not None


@pytest.mark.usefixtures("file_database")
def test_however_many_write_at_once_each_event_is_told_once(
    line: Line, now: datetime, endpoint_of: Callable[..., Endpoint]
) -> None:
    endpoint = endpoint_of(types=["dataset.ready"])
    writing = threading.Barrier(5)

    def writer() -> list[int]:
        writing.wait(STUCK_SECONDS)
        written = []
        for _ in range(12):
            with transaction.atomic():
                written += [write(line, now), write(line, now)]
        return written

    def reader() -> int:
        writing.wait(STUCK_SECONDS)
        return sum(feed.derive(now) for _ in range(30))

    *written, _ = race(writer, writer, writer, writer, reader)
    feed.derive(now)
    told = list(Delivery.objects.filter(endpoint=endpoint).values_list("event", flat=True))
    assert sorted(told) == sorted(number for numbers in written for number in numbers)
    assert len(told) == 96


def test_the_engine_is_one_that_this_knows() -> None:
    """On another engine the horizon would have to be thought about anew."""
    assert connection.vendor in {"sqlite", "postgresql"}
