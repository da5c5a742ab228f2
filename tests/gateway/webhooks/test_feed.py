"""From events to deliveries: each endpoint gets what it wants, once, from its creation on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway import lifecycle
from gateway.models import Event, Item
from gateway.webhooks import feed
from gateway.webhooks.endpoints import disable, enable
from gateway.webhooks.models import Delivery, Endpoint
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model
from tests.races import race

EndpointOf = Callable[..., Endpoint]


def types_of(endpoint: Endpoint) -> list[str]:
    return list(Delivery.objects.filter(endpoint=endpoint).order_by("event").values_list("type", flat=True))


def test_what_happened_before_is_not_told(endpoint_of: EndpointOf, dial: Any, post: Any, model: Model, now: datetime) -> None:
    dial(Mode.FULL)
    post(1)
    endpoint = endpoint_of()
    assert feed.derive(now) == 0
    post(2)
    assert feed.derive(now) == 1
    assert feed.derive(now) == 0
    assert types_of(endpoint) == ["item.decided"]


def test_only_what_is_wanted_of_the_line_that_is_wanted(
    endpoint_of: EndpointOf, line: Line, dial: Any, post: Any, model: Model, now: datetime
) -> None:
    everything, mine = endpoint_of("all"), endpoint_of("mine", line=line, types=["item.decided"])
    other = endpoint_of("other", types=["dataset.ready"])
    dial(Mode.FULL)
    post(1)
    assert feed.derive(now) == 2
    assert types_of(everything) == types_of(mine) == ["item.decided"]
    assert types_of(other) == []
    # The cursor goes on over what is not wanted too, else it would be read again and again.
    assert len(set(Endpoint.objects.values_list("position", flat=True))) == 1


def test_a_long_backlog_comes_in_windows(
    endpoint_of: EndpointOf, dial: Any, post: Any, model: Model, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "WINDOW", 2)
    endpoint = endpoint_of()
    dial(Mode.FULL)
    for seed in range(5):
        post(seed)
    assert [feed.derive(now) for _ in range(4)] == [2, 2, 1, 0]
    assert len(types_of(endpoint)) == 5


def test_an_endpoint_that_was_off_is_told_what_it_missed(
    endpoint_of: EndpointOf, dial: Any, post: Any, model: Model, max_: User, now: datetime
) -> None:
    endpoint = endpoint_of()
    dial(Mode.FULL)
    disable(endpoint, by=max_, now=now)
    post(1)
    assert feed.derive(now) == 0
    enable(endpoint, by=max_, now=now)
    assert feed.derive(now) == 1


def test_without_an_endpoint_the_clock_asks_one_question(line: Line, now: datetime) -> None:
    with CaptureQueriesContext(connection) as found:
        feed.derive(now)
    assert len(found) == 1


def test_the_road_pays_nothing_for_endpoints(endpoint_of: EndpointOf, api: Any, post: Any, dial: Any, model: Model) -> None:
    dial(Mode.FULL)
    post(0)
    with CaptureQueriesContext(connection) as without:
        post(1)
    endpoint_of()
    with CaptureQueriesContext(connection) as beside:
        post(2)
    assert len(beside) == len(without)


def test_what_a_decision_says(
    endpoint_of: EndpointOf, line: Line, dial: Any, post: Any, model: Model, ines: User, now: datetime, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://sluice.example/"
    endpoint_of()
    dial(Mode.FULL)
    answer = post(1, external_id="A1")
    item = Item.objects.get()
    later = now + timedelta(seconds=1)
    lifecycle.settle(item.pk, "dent", user=ines, reason=Reason.APPEAL, now=later)
    feed.derive(now)
    first, second = (json.loads(body) for body in Delivery.objects.order_by("event").values_list("body", flat=True))
    assert first["type"] == "item.decided"
    assert datetime.fromisoformat(first["timestamp"]) == item.received_at
    event = Event.objects.get(kind="item.decided")
    assert first["data"] == {
        "event": event.pk,
        "line": "phones",
        "by": "model:inspection-test-1",
        "item": answer["id"],
        "external_id": "A1",
        "reason": answer["reason"],
        "link": f"https://sluice.example/items/{answer['id']}/",
        "answer": "ok",
        "decided_by": "model",
        "revision": 1,
        "policy": 2,
        "model": "inspection-test-1",
    }
    # Not how the item stands now, but what was said then; and then what took its place.
    assert second["type"] == "item.superseded"
    told = {name: second["data"][name] for name in ("answer", "previous", "decided_by", "by", "revision", "reason")}
    assert told == {
        "answer": "dent", "previous": "ok", "decided_by": "person", "by": "user:ines", "revision": 2, "reason": "appeal"
    }  # fmt: skip


@pytest.mark.usefixtures("file_database")
def test_two_workers_with_one_window_write_it_once(
    endpoint_of: EndpointOf, line: Line, dial: Any, post: Any, model: Model, now: datetime
) -> None:
    endpoint = endpoint_of()
    dial(Mode.FULL)
    for seed in range(3):
        post(seed)
    assert sum(race(lambda: feed.derive(now), lambda: feed.derive(now), lambda: feed.derive(now))) == 3
    assert types_of(endpoint) == ["item.decided"] * 3
