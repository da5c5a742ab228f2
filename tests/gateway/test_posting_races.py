"""Many requests at the same moment, on a real database file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from gateway.models import Event, IdempotencyRecord, Item, Referral
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo
from tests.gateway.problems import problem
from tests.races import race

pytestmark = pytest.mark.usefixtures("file_database")

URL = "/api/v1/lines/phones/items"


@pytest.fixture
def poster(token: tuple[Any, str]) -> Callable[..., Callable[[], Any]]:
    """Return a maker of callables that post a photo, each with a client of its own."""

    def make(seed: int = 1, key: str = "", **query: str) -> Callable[[], Any]:
        headers = {"Authorization": f"Bearer {token[1]}"} | ({"Idempotency-Key": key} if key else {})
        client = Client(headers=headers)
        return lambda: client.post(URL, photo(seed), content_type="image/jpeg", query_params=query)

    return make


def test_one_key_from_many_threads_is_one_item(line: Line, poster: Callable[..., Any]) -> None:
    answers = race(*(poster(key="k1") for _ in range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert (Item.objects.count(), Referral.objects.count(), IdempotencyRecord.objects.count()) == (1, 1, 1)
    assert Event.objects.filter(item__isnull=False).count() == 1


def test_one_key_with_a_serial_number_that_comes_once_is_one_item(line: Line, poster: Callable[..., Any]) -> None:
    """The loser of the race finds its own serial number taken; the answer is still the first one's, not a conflict."""
    Line.objects.update(unique_external_ids=True)
    answers = race(*(poster(key="k1", external_id="SN-1") for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.content for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Item.objects.count() == 1


def test_two_bodies_under_one_key_are_one_item_and_one_refusal(line: Line, poster: Callable[..., Any]) -> None:
    answers = race(poster(1, key="k1"), poster(2, key="k1"))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    problem(next(one for one in answers if one.status_code == 422), 422, "idempotency-key-reused")
    assert Item.objects.count() == 1


def test_one_serial_number_from_many_threads_is_one_item(line: Line, poster: Callable[..., Any]) -> None:
    Line.objects.update(unique_external_ids=True)
    answers = race(*(poster(seed, external_id="SN-1") for seed in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "external-id-taken", "SN-1")
    assert Item.objects.count() == 1


def test_different_photos_from_many_threads_all_arrive(
    line: Line, dial: Callable[..., Any], model: Model, poster: Callable[..., Any]
) -> None:
    dial(Mode.FULL, audit_rate=0.5)
    answers = race(*(poster(seed) for seed in range(10)))
    assert [answer.status_code for answer in answers] == [201] * 10
    assert Item.objects.count() == len({answer.json()["id"] for answer in answers}) == 10
    assert Item.objects.filter(in_audit=True).count() == Referral.objects.count()


def test_one_photo_from_many_threads_is_kept_once_and_whole(line: Line, poster: Callable[..., Any], media_folder: Any) -> None:
    answers = race(*(poster(3) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6
    kept = [path for path in media_folder.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [photo(3)]


def test_many_appeals_at_once_are_one(
    line: Line, dial: Callable[..., Any], model: Model, poster: Callable[..., Any], token: tuple[Any, str]
) -> None:
    dial(Mode.FULL)
    url = f"/api/v1/items/{poster()().json()['id']}/appeal"

    def appeal() -> Any:
        client = Client(headers={"Authorization": f"Bearer {token[1]}"})
        return client.post(url, json.dumps({"reason": "cracked"}), content_type="application/json")

    assert sorted(answer.status_code for answer in race(*[appeal] * 4)) == [201, 409, 409, 409]
    assert Referral.objects.filter(reason="appeal").count() == 1
