"""What is due is sent, at least once, and what comes of it is written down; a slow endpoint does not hold up the others."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from standardwebhooks import Webhook

from gateway.webhooks import redelivery, sending
from gateway.webhooks.endpoints import rotate_secret
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from gateway.webhooks.schedule import DELAYS, JITTER, MOST_ATTEMPTS, Reply
from gateway.webhooks.tasks import forget_deliveries
from policies.modes import Mode
from tests.conftest import Model
from tests.gateway.webhooks.receiver import Receiver
from tests.races import race

EndpointOf = Callable[..., Endpoint]


def always(status: int | None, seen: list[str] | None = None) -> sending.Send:
    """A wire at whose end everybody answers the same; whom it asked is noted in `seen`."""

    def send(url: str, headers: Mapping[str, str], body: str) -> Reply:
        if seen is not None:
            seen.append(headers["webhook-id"])
        return Reply(status, 7, error="" if status else "nobody there")

    return send


def due_now() -> None:
    """Wind the clock forward for what waits."""
    Delivery.objects.filter(state=DeliveryState.PENDING).update(next_at=timezone.now())


def test_from_a_post_to_the_receiver(endpoint_of: EndpointOf, receiver: Receiver, dial: Any, post: Any, model: Model) -> None:
    endpoint = endpoint_of(url=receiver.url)
    dial(Mode.FULL)
    answer = post(1)
    assert sending.run_round() == 1
    message = receiver.messages[0]
    told = Webhook(endpoint.secret).verify(message.body, message.headers)
    assert (told["type"], told["data"]["item"]) == ("item.decided", answer["id"])
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_status, delivery.claim) == (DeliveryState.DELIVERED, 1, 204, None)
    assert sending.run_round() == 0
    assert len(receiver.messages) == 1


def test_after_a_rotation_both_secrets_hold_for_a_day(endpoint_of: EndpointOf, receiver: Receiver, now: datetime) -> None:
    endpoint = endpoint_of(url=receiver.url)
    fresh = rotate_secret(endpoint, now=timezone.now())
    redelivery.send_test(endpoint, now=now)
    sending.run_round()
    for secret in (endpoint.secret, fresh):
        Webhook(secret).verify(receiver.messages[0].body, receiver.messages[0].headers)
    Endpoint.objects.update(previous_until=timezone.now())
    redelivery.send_test(endpoint, now=now)
    sending.run_round()
    assert len(receiver.messages[1].headers["webhook-signature"].split()) == 1
    Webhook(fresh).verify(receiver.messages[1].body, receiver.messages[1].headers)


def test_what_fails_comes_again_as_the_same_message_until_it_is_given_up(endpoint_of: EndpointOf, now: datetime) -> None:
    delivery = redelivery.send_test(endpoint_of(), now=now)
    seen: list[str] = []
    for attempt, delay in enumerate(DELAYS, start=1):
        before = timezone.now()
        assert sending.run_round(always(500, seen)) == 1
        row = Delivery.objects.get()
        assert (row.state, row.attempts, row.last_status) == (DeliveryState.PENDING, attempt, 500)
        assert delay <= (row.next_at - before).total_seconds() <= delay * (1 + JITTER) + 5
        assert sending.run_round(always(500, seen)) == 0
        due_now()
    sending.run_round(always(None, seen))
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.last_status, row.last_error) == (DeliveryState.FAILED, 9, None, "nobody there")
    assert row.ended_at is not None
    assert seen == [delivery.message_id] * MOST_ATTEMPTS


def test_a_refusal_is_final_and_can_be_sent_again_by_hand(endpoint_of: EndpointOf, now: datetime) -> None:
    delivery = redelivery.send_test(endpoint_of(), now=now)
    sending.run_round(always(404))
    assert Delivery.objects.get().state == DeliveryState.FAILED
    due_now()
    assert sending.run_round(always(200)) == 0
    redelivery.redeliver(delivery, now=now)
    assert sending.run_round(always(200)) == 1
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_a_claim_is_held_by_one(endpoint_of: EndpointOf, now: datetime) -> None:
    endpoint = endpoint_of()
    redelivery.send_test(endpoint, now=now)
    mine = sending.claim(endpoint, now, 10)
    assert len(mine) == 1
    assert sending.claim(endpoint, now, 10) == []


def test_a_lost_claim_runs_out_and_its_late_outcome_counts_no_more(endpoint_of: EndpointOf, now: datetime) -> None:
    """What kill -9 between claim and send leaves behind, and what a sender says that came back from the dead."""
    endpoint = endpoint_of()
    redelivery.send_test(endpoint, now=now)
    lost = sending.claim(endpoint, now, 10)
    again = sending.claim(endpoint, now + sending.LEASE, 10)
    assert [one.message_id for one in again] == [one.message_id for one in lost]
    sending.record([(lost[0], Reply(404, 5))], now)
    assert Delivery.objects.get().state == DeliveryState.PENDING
    sending.record([(again[0], Reply(200, 5))], now)
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


@pytest.mark.usefixtures("file_database")
def test_of_many_senders_each_claims_its_own(endpoint_of: EndpointOf, line: Any, now: datetime) -> None:
    endpoint = endpoint_of()
    for _ in range(20):
        redelivery.send_test(endpoint, now=now)
    claims = race(*[lambda: sending.claim(endpoint, now, 20)] * 3)
    ids = [delivery.pk for claimed in claims for delivery in claimed]
    assert len(ids) == len(set(ids)) == 20


def test_a_slow_endpoint_does_not_hold_up_the_others(endpoint_of: EndpointOf, now: datetime) -> None:
    slow, quick = endpoint_of("slow", "http://127.0.0.1:9001/"), endpoint_of("quick", "http://127.0.0.1:9002/")
    for _ in range(20):
        redelivery.send_test(slow, now=now)
        redelivery.send_test(quick, now=now)
    all_quick, all_places, at_once, most = threading.Event(), threading.Event(), 0, 0
    lock, answered = threading.Lock(), 0

    def send(url: str, headers: Mapping[str, str], body: str) -> Reply:
        nonlocal answered, at_once, most
        if url == quick.url:
            with lock:
                answered += 1
                if answered == 20:
                    all_quick.set()
            return Reply(200, 5)
        with lock:
            at_once += 1
            most = max(most, at_once)
            if at_once == sending.PLACES_EACH:
                all_places.set()
        # The slow one answers only when the quick one has had everything, and not before all of its places are taken.
        assert all_quick.wait(20) and all_places.wait(20)
        with lock:
            at_once -= 1
        return Reply(200, 5)

    assert sending.run_round(send) == 40
    assert most == sending.PLACES_EACH
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}


def test_places_take_several_messages_at_a_time(
    endpoint_of: EndpointOf, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look and a commit for every message would let a busy line get further ahead of its receivers all day."""
    endpoint = endpoint_of()
    for _ in range(sending.PLACES_EACH * sending.CHUNK):
        redelivery.send_test(endpoint, now=now)
    commits: list[int] = []
    record = sending.record
    monkeypatch.setattr(sending, "record", lambda outcomes, now: (commits.append(len(outcomes)), record(outcomes, now)))
    assert sending.run_round(always(200)) == sending.PLACES_EACH * sending.CHUNK
    assert len([size for size in commits if size]) <= sending.PLACES_EACH


def test_a_slow_endpoint_gives_back_what_it_has_not_begun(
    endpoint_of: EndpointOf, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_of()
    for _ in range(2 * sending.PLACES_EACH):
        redelivery.send_test(endpoint, now=now)
    monkeypatch.setattr(sending, "CHUNK_SECONDS", 0.0)
    over = threading.Barrier(sending.PLACES_EACH)

    def send(url: str, headers: Mapping[str, str], body: str) -> Reply:
        over.wait(20)
        time.sleep(0.3)
        return Reply(200, 300)

    assert sending.run_round(send, seconds=0.2) == sending.PLACES_EACH
    rest = Delivery.objects.filter(state=DeliveryState.PENDING)
    assert set(rest.values_list("claim", "attempts")) == {(None, 0)}
    assert sending.run_round(always(200)) == sending.PLACES_EACH


@pytest.mark.django_db(transaction=True)
def test_what_is_known_is_written_when_the_database_can_again(
    endpoint_of: EndpointOf, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a locked database between the answer and the note of it must not have everybody told twice."""
    redelivery.send_test(endpoint_of(), now=now)
    troubles, record = [OperationalError("database is locked"), OperationalError("disk is full")], sending.record

    def in_trouble(outcomes: list[sending.Outcome], now: datetime) -> None:
        if troubles:
            raise troubles.pop()
        record(outcomes, now)

    monkeypatch.setattr(sending, "record", in_trouble)
    monkeypatch.setattr(sending, "PAUSE_SECONDS", 0.0)
    seen: list[str] = []
    assert sending.run_round(always(200, seen)) == 1
    assert (len(seen), Delivery.objects.get().state) == (1, DeliveryState.DELIVERED)


def test_a_database_in_trouble_ends_a_round_after_what_is_on_the_wire(
    endpoint_of: EndpointOf, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    redelivery.send_test(endpoint_of(), now=now)
    looks = [0, OperationalError("database is locked")]

    def derive(now: datetime) -> int:
        look = looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look

    monkeypatch.setattr(sending, "derive", derive)

    def send(url: str, headers: Mapping[str, str], body: str) -> Reply:
        # Longer than the round waits before it looks again.
        time.sleep(1.2)
        return Reply(200, 5)

    with pytest.raises(OperationalError):
        sending.run_round(send)
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_a_defect_of_ours_fails_its_own_message_only(
    endpoint_of: EndpointOf, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = endpoint_of("good", "http://127.0.0.1:9001/"), endpoint_of("bad", "http://127.0.0.1:9002/")
    for endpoint in (good, bad):
        redelivery.send_test(endpoint, now=now)

    def send(url: str, headers: Mapping[str, str], body: str) -> Reply:
        if url == bad.url:
            raise RuntimeError("a defect")
        return Reply(200, 5)

    assert sending.run_round(send) == 2
    assert Delivery.objects.get(endpoint=good).state == DeliveryState.DELIVERED
    assert Delivery.objects.get(endpoint=bad).last_error == "RuntimeError in Sluice"
    assert "could not be sent" in caplog.text


def test_one_round_at_a_time_in_a_process(endpoint_of: EndpointOf, now: datetime) -> None:
    redelivery.send_test(endpoint_of(), now=now)
    inside: list[int] = []

    def send(url: str, headers: Mapping[str, str], body: str) -> Reply:
        inside.append(sending.run_round(always(200)))
        return Reply(200, 5)

    assert sending.run_round(send) == 1
    assert inside == [0]


def test_when_the_time_is_over_nothing_more_is_begun(endpoint_of: EndpointOf, now: datetime) -> None:
    redelivery.send_test(endpoint_of(), now=now)
    assert sending.run_round(always(200), seconds=0.0) == 0
    assert Delivery.objects.get().claim is None


def test_what_ended_long_ago_is_forgotten(endpoint_of: EndpointOf, now: datetime) -> None:
    endpoint = endpoint_of()
    old, fresh, waiting = (redelivery.send_test(endpoint, now=now) for _ in range(3))
    for delivery, days in ((old, 31), (fresh, 29)):
        ended = timezone.now() - timedelta(days=days)
        Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DELIVERED, ended_at=ended)
    Delivery.objects.filter(pk=waiting.pk).update(created_at=now - timedelta(days=99))
    assert forget_deliveries() == 1
    assert set(Delivery.objects.values_list("pk", flat=True)) == {fresh.pk, waiting.pk}


def test_a_message_is_never_signed_for_another_text(endpoint_of: EndpointOf, receiver: Receiver, now: datetime) -> None:
    endpoint = endpoint_of("naïve ☂", url=receiver.url)
    delivery = redelivery.send_test(endpoint, now=now)
    sending.run_round()
    assert receiver.messages[0].body == Delivery.objects.get().body == delivery.body
    assert json.loads(receiver.messages[0].body)["data"] == {"endpoint": "naïve ☂"}
