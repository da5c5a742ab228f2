"""`?wait=`: the answer comes when people have decided, when the time is over, or at once where too many wait already.

No test sleeps: the clock and the sleep of `gateway.waiting` are played by a stand-in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import lifecycle, waiting
from gateway.models import Item
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo

URL = "/api/v1/lines/phones/items"


class Clock:
    """Plays `time` for the waiting room: sleeping makes time pass, and something may happen meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []
        self.meanwhile: dict[int, Callable[[], object]] = {}

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        self.meanwhile.pop(len(self.naps), lambda: None)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stand_in = Clock()
    monkeypatch.setattr(waiting, "time", stand_in)
    return stand_in


def judge(user: User, now: datetime) -> None:
    lifecycle.settle(Item.objects.get().pk, "dent", user=user, reason=Reason.HUMAN_ONLY, now=now)


def test_the_post_answers_as_soon_as_a_person_has_decided(
    api: Client, line: Line, ines: User, clock: Clock, now: datetime
) -> None:
    clock.meanwhile[3] = lambda: judge(ines, now)
    response = api.post(URL, photo(), content_type="image/jpeg", query_params={"wait": "30"})
    assert response.status_code == 201
    body = response.json()
    assert (body["status"], body["decision"], body["decided_by"]) == ("decided", "dent", "person")
    assert len(clock.naps) == 3


def test_fetching_an_item_can_wait_too(
    api: Client, post: Callable[..., Any], line: Line, ines: User, clock: Clock, now: datetime
) -> None:
    item_id = post()["id"]
    clock.meanwhile[1] = lambda: judge(ines, now)
    body = api.get(f"/api/v1/items/{item_id}?wait=5").json()
    assert (body["status"], body["decision"]) == ("decided", "dent")


def test_the_time_is_kept(api: Client, line: Line, clock: Clock) -> None:
    body = api.post(URL, photo(), content_type="image/jpeg", query_params={"wait": "1.5"}).json()
    assert body["status"] == "referred"
    assert clock.now == pytest.approx(1.5)


def test_a_decided_item_is_not_waited_for(
    post: Callable[..., Any], api: Client, dial: Callable[..., Any], model: Model, clock: Clock
) -> None:
    dial(Mode.FULL)
    body = post(wait="60")
    assert body["status"] == "decided"
    assert api.get(f"/api/v1/items/{body['id']}?wait=60").json()["status"] == "decided"
    assert clock.naps == []


def test_a_full_waiting_room_answers_at_once(
    post: Callable[..., Any], line: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    assert waiting._places.acquire(blocking=False)
    assert post(wait="60")["status"] == "referred"
    assert clock.naps == []
    waiting._places.release()
    post(seed=2, wait="1")
    assert clock.naps != []


def test_every_place_is_given_back(post: Callable[..., Any], line: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a wait that ended, and after one that broke off, the place is free for the next."""
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))

    def broken() -> None:
        raise ConnectionAbortedError("the caller hung up")

    clock.meanwhile[1] = broken
    with pytest.raises(ConnectionAbortedError):
        post(wait="1")
    post(seed=2, wait="1")
    assert waiting._places.acquire(blocking=False)


def test_waiting_keeps_the_idempotent_answer_fresh(api: Client, line: Line, ines: User, clock: Clock, now: datetime) -> None:
    """A retry that waits gets what became of the item, not only what was known at first."""
    send = {"content_type": "image/jpeg", "headers": {"Idempotency-Key": "k"}, "query_params": {"wait": "1"}}
    first = api.post(URL, photo(), **send).json()
    judge(ines, now)
    again = api.post(URL, photo(), **send)
    assert first["status"] == "referred"
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "decided")
    assert again["Idempotent-Replayed"] == "true"
