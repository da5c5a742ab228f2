"""The same key and body get the first answer, whatever the network did in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import encode_multipart

from gateway import media, recording
from gateway.models import Event, IdempotencyRecord, Item, Prediction
from gateway.tasks import forget_old_answers
from gateway.tokens import create_token
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items"


def send(client: Client, key: str = "k1", seed: int = 1, url: str = URL, **query: str) -> Any:
    headers = {"Idempotency-Key": key}
    return client.post(url, photo(seed), content_type="image/jpeg", headers=headers, query_params=query)


def as_form(client: Client, boundary: str, url: str = URL, key: str = "k1", **fields: str) -> Any:
    body = encode_multipart(boundary, {"image": SimpleUploadedFile(f"{boundary}.jpg", photo(1)), **fields})
    content_type = f"multipart/form-data; boundary={boundary}"
    return client.post(url, body, content_type=content_type, headers={"Idempotency-Key": key})


def test_the_same_request_again_gets_the_first_answer(api: Client, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    first = send(api, external_id="A1")
    dial(Mode.HUMAN_ONLY)
    again = send(api, external_id="A1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Location"] == first["Location"]
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert (Item.objects.count(), Prediction.objects.count(), Event.objects.count()) == (1, 1, 1 + 1)
    assert model.asked == 1


@pytest.mark.parametrize(
    ("seed", "query"),
    [
        (2, {}),
        (1, {"external_id": "A1"}),
        (1, {"metadata": '{"a": 1}'}),
        (1, {"prediction": '{"probabilities": {"ok": 1}}'}),
    ],
)
def test_another_request_under_the_same_key_is_refused(api: Client, line: Line, seed: int, query: dict[str, str]) -> None:
    send(api)
    problem(send(api, seed=seed, **query), 422, "idempotency-key-reused", "'k1'")
    assert Item.objects.count() == 1


def test_the_same_photo_on_another_line_is_another_request(api: Client, line: Line, now: datetime) -> None:
    other = Line.objects.create(slug="tiles", name="Tiles", question="?", created_at=now)
    send(api)
    problem(send(api, url=f"/api/v1/lines/{other.slug}/items"), 422, "idempotency-key-reused")


def test_the_way_json_is_written_makes_no_other_request(api: Client, line: Line) -> None:
    first = send(api, metadata='{"a": 1, "b": 2}')
    assert send(api, metadata='{ "b":2,"a":1 }').json() == first.json()


def test_a_form_with_another_boundary_is_the_same_request(api: Client, line: Line) -> None:
    first, second = as_form(api, "aaaa", external_id="A1"), as_form(api, "bbbb", external_id="A1")
    assert (second.json(), second["Idempotent-Replayed"]) == (first.json(), "true")


def test_a_form_and_a_raw_body_with_the_same_content_are_the_same_request(api: Client, line: Line) -> None:
    assert send(api).json() == as_form(api, "aaaa").json()


def test_a_batch_is_replayed_whole(api: Client, line: Line) -> None:
    def batch(boundary: str, *data: bytes) -> Any:
        body = encode_multipart(boundary, {"image": [SimpleUploadedFile("a.jpg", one) for one in data]})
        content_type = f"multipart/form-data; boundary={boundary}"
        return api.post(f"{URL}/batch", body, content_type=content_type, headers={"Idempotency-Key": "b1"})

    first, again = batch("aa", photo(1), b"bad", photo(2)), batch("bb", photo(1), b"bad", photo(2))
    assert (again.status_code, again.json()) == (200, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert Item.objects.count() == 2
    problem(batch("cc", photo(1), b"bad", photo(3)), 422, "idempotency-key-reused")
    problem(batch("cc", photo(1), photo(2)), 422, "idempotency-key-reused")


def test_a_refused_request_does_not_use_up_its_key(api: Client, line: Line) -> None:
    bad = api.post(URL, b"a text", content_type="image/jpeg", headers={"Idempotency-Key": "k1"})
    assert bad.status_code == 422
    assert send(api).status_code == 201


def test_a_request_that_broke_off_can_be_sent_again(api: Client, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before the failure is undone with it, the key included."""
    with monkeypatch.context() as broken:
        broken.setattr(recording, "event", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(api)
    assert not (Item.objects.exists() or IdempotencyRecord.objects.exists())
    assert send(api).status_code == 201
    assert Item.objects.count() == 1


def test_keys_belong_to_their_token(api: Client, line: Line, now: datetime) -> None:
    secret = create_token("second", scopes=["items:write"], line=None, by=None, now=now)[1]
    first = send(api)
    second = send(Client(headers={"Authorization": f"Bearer {secret}"}))
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


def test_without_a_key_every_post_is_an_item(api: Client, line: Line) -> None:
    assert send(api, key="").json()["id"] != send(api, key="").json()["id"]
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["x" * 201, "tab\tkey", "bell\x07"])
def test_a_key_that_cannot_be_one(api: Client, untouched: Callable[[], None], key: str) -> None:
    problem(send(api, key=key), 422, "field-invalid", "200 printable characters")
    untouched()


@pytest.mark.parametrize("key", ["x" * 200, "6f1c…", "schlüssel", "with spaces"])
def test_keys_may_be_any_printable_text(api: Client, line: Line, key: str) -> None:
    assert send(api, key=key).json() == send(api, key=key).json()


def test_the_answer_is_written_with_the_item(api: Client, line: Line) -> None:
    body = send(api).json()
    record = IdempotencyRecord.objects.get()
    assert record.status == 201
    assert json.loads(json.dumps(record.answer))["results"][0]["item"] == body
    assert media.digest_of(photo(1)) not in record.digest


def test_answers_are_forgotten_after_a_day(api: Client, line: Line, now: datetime) -> None:
    send(api, key="old")
    send(api, key="new")
    IdempotencyRecord.objects.filter(key="old").update(created_at=now - timedelta(hours=25))
    assert forget_old_answers() == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]
