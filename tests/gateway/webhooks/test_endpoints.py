"""Making endpoints, and switching them off, by hand or by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway.errors import BadField, MovedMeanwhile
from gateway.models import Event
from gateway.webhooks import redelivery
from gateway.webhooks.endpoints import (
    PATIENCE,
    EndpointDisabled,
    create_endpoint,
    disable,
    enable,
    given_up,
    note_outcome,
    rotate_secret,
)
from gateway.webhooks.models import Delivery, Endpoint
from gateway.webhooks.schedule import Reply
from gateway.webhooks.sending import claim
from policies.models import Line

EndpointOf = Callable[..., Endpoint]
BAD, GOOD = [Reply(500, 5)], [Reply(204, 5)]


def kinds() -> list[str]:
    return list(Event.objects.filter(kind__startswith="webhook.").order_by("id").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("name", "url", "types"),
    [
        ("", "http://127.0.0.1:9999/", ["item.decided"]),
        ("a" * 101, "http://127.0.0.1:9999/", ["item.decided"]),
        ("sorter", "http://127.0.0.1:9999/", []),
        ("sorter", "http://127.0.0.1:9999/", ["item.eaten"]),
        ("sorter", "http://10.0.0.1:9999/", ["item.decided"]),
        ("taken", "http://127.0.0.1:9999/", ["item.decided"]),
    ],
)
def test_what_is_wrong_is_refused(endpoint_of: EndpointOf, now: datetime, name: str, url: str, types: list[str]) -> None:
    endpoint_of("taken")
    with pytest.raises(BadField):
        create_endpoint(name, url, types=types, line=None, by=None, now=now)
    assert Endpoint.objects.count() == 1


def test_a_secret_is_as_the_specification_says(endpoint_of: EndpointOf, now: datetime) -> None:
    endpoint = endpoint_of()
    assert endpoint.secret.startswith("whsec_")
    fresh = rotate_secret(endpoint, now=now)
    row = Endpoint.objects.get()
    assert (row.secret, row.previous_secret) == (fresh, endpoint.secret)
    assert fresh != endpoint.secret


def test_after_days_of_failing_it_is_switched_off(endpoint_of: EndpointOf, line: Line, now: datetime) -> None:
    endpoint = endpoint_of()
    note_outcome(endpoint, BAD, now)
    note_outcome(endpoint, BAD, now + PATIENCE)
    assert Endpoint.objects.get().disabled_at is None
    late = now + PATIENCE + timedelta(seconds=1)
    note_outcome(endpoint, BAD, late)
    note_outcome(endpoint, BAD, late)
    assert Endpoint.objects.get().disabled_at == late
    assert given_up() == [endpoint]
    assert kinds() == ["webhook.disabled"]
    assert Event.objects.get(kind="webhook.disabled").line == line


def test_one_success_starts_the_patience_anew(endpoint_of: EndpointOf, now: datetime) -> None:
    endpoint = endpoint_of()
    note_outcome(endpoint, BAD, now)
    note_outcome(endpoint, [*BAD, *GOOD], now)
    note_outcome(endpoint, BAD, now + PATIENCE * 2)
    row = Endpoint.objects.get()
    assert (row.failing_since, row.disabled_at) == (now + PATIENCE * 2, None)


def test_gone_switches_it_off_at_once(endpoint_of: EndpointOf, line: Line, now: datetime) -> None:
    endpoint = endpoint_of(line=line)
    note_outcome(endpoint, [Reply(410, 5)], now)
    assert "410" in Endpoint.objects.get().disabled_why
    assert given_up() == [endpoint]


def test_off_and_on_again_by_hand(endpoint_of: EndpointOf, line: Line, max_: User, now: datetime) -> None:
    endpoint = endpoint_of()
    assert disable(endpoint, by=max_, now=now)
    assert not disable(endpoint, by=max_, now=now)
    assert given_up() == []
    assert enable(endpoint, by=max_, now=now)
    assert not enable(endpoint, by=max_, now=now)
    assert kinds() == ["webhook.disabled", "webhook.enabled"]
    assert set(Event.objects.filter(kind__startswith="webhook.").values_list("actor", flat=True)) == {"user:max"}


def test_one_that_gave_up_may_stay_off(endpoint_of: EndpointOf, line: Line, max_: User, now: datetime) -> None:
    endpoint = endpoint_of()
    note_outcome(endpoint, [Reply(410, 5)], now)
    assert not disable(endpoint, by=max_, now=now)
    assert given_up() == []
    assert Endpoint.objects.get().disabled_at == now


def test_nothing_is_sent_to_one_that_is_off(endpoint_of: EndpointOf, max_: User, now: datetime) -> None:
    endpoint = endpoint_of()
    delivery = redelivery.send_test(endpoint, now=now)
    disable(endpoint, by=max_, now=now)
    delivery.endpoint.refresh_from_db()
    for call in (redelivery.send_test, redelivery.redeliver_failed):
        with pytest.raises(EndpointDisabled):
            call(delivery.endpoint, now=now)
    with pytest.raises(EndpointDisabled):
        redelivery.redeliver(delivery, now=now)


def test_what_is_being_sent_is_not_sent_again(endpoint_of: EndpointOf, now: datetime) -> None:
    endpoint = endpoint_of()
    delivery = redelivery.send_test(endpoint, now=now)
    claim(endpoint, now, 1)
    with pytest.raises(MovedMeanwhile):
        redelivery.redeliver(delivery, now=now)


def test_all_that_was_given_up_comes_again(endpoint_of: EndpointOf, now: datetime, settings: Any) -> None:
    endpoint, other = endpoint_of(), endpoint_of("other")
    for one in (endpoint, endpoint, other):
        delivery = redelivery.send_test(one, now=now)
        Delivery.objects.filter(pk=delivery.pk).update(state="failed", ended_at=now, attempts=9)
    redelivery.send_test(endpoint, now=now)
    assert redelivery.redeliver_failed(endpoint, now=now) == 2
    assert Delivery.objects.filter(endpoint=endpoint, state="pending", attempts=0).count() == 3
    assert Delivery.objects.filter(state="failed").count() == 1
