"""The door for archives: a line for each photo as it is decided, and what is wrong harms nobody else.

Most tests do what the two threads of an archive do one after the other, on the suite's own connection: see `in_turn`.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import IntegrityError, close_old_connections
from django.test import Client
from django.utils import timezone

from gateway import archive_api, bulk, idempotency, routing
from gateway.models import ApiToken, IdempotencyRecord, Item
from inference import service
from inference.errors import ModelBusy
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo
from tests.gateway.packing import File, manifest, tar, tar_gz, zip_
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items/archive"
Send = Callable[..., list[dict[str, Any]]]


class Done:
    """Stands where the thread of finished work would."""

    def is_alive(self) -> bool:
        """It has ended."""
        return False

    def join(self) -> None:
        """It has ended."""


@pytest.fixture(autouse=True)
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the whole archive, then decide it, then answer."""

    def start(name: str, work: Callable[[], None]) -> Done:
        work()
        return Done()

    monkeypatch.setattr(archive_api, "start", start)
    monkeypatch.setattr(bulk, "BUSY_PAUSE", 0.0)


def photos(count: int, first: int = 0) -> list[File]:
    return [(f"p{number}.jpg", photo(number)) for number in range(first, first + count)]


def lines_of(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/x-ndjson"
    # The client closes it at its end. By hand, the test's own connection to the database would be closed with it.
    text = b"".join(response.streaming_content).decode()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def send(api: Client) -> Send:
    """Send an archive and return the lines of the answer."""

    def call(data: bytes, kind: str = "application/x-tar", query: str = "", **headers: str) -> list[dict[str, Any]]:
        return lines_of(api.post(URL + query, data, content_type=kind, headers=headers))

    return call


def total(taken: int = 0, replayed: int = 0, refused: int = 0, skipped: int = 0) -> dict[str, Any]:
    return {
        "complete": True,
        "total": {"taken": taken, "replayed": replayed, "refused": refused, "skipped": skipped},
    }


@pytest.mark.parametrize(
    ("pack", "kind"),
    [
        (tar, "application/x-tar"),
        (tar_gz, "application/gzip"),
        (zip_, "application/zip"),
        (zip_, "application/octet-stream"),
        # What it is, its first bytes say.
        (tar, "application/zip"),
    ],
)
def test_a_line_for_each_photo_in_the_order_of_the_archive(
    send: Send, api: Client, dial: Callable[..., Any], model: Model, pack: Callable[..., bytes], kind: str
) -> None:
    dial(Mode.FULL)
    *lines, end = send(pack(photos(3)), kind)
    assert [(line["index"], line["file"], line["status"]) for line in lines] == [(n, f"p{n}.jpg", 201) for n in range(3)]
    assert [line["item"]["decision"] for line in lines] == ["ok"] * 3
    assert lines[0]["item"] == api.get(f"/api/v1/items/{lines[0]['item']['id']}").json()
    assert end == total(3)
    assert model.asked == 3


def test_a_caller_may_ask_for_lines(api: Client, line: Line) -> None:
    response = api.post(URL, tar(photos(1)), content_type="application/x-tar", headers={"Accept": "application/x-ndjson"})
    assert lines_of(response)[-1] == total(1)


def test_more_than_one_chunk(send: Send, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    *lines, end = send(tar(photos(5)))
    assert [line["index"] for line in lines] == list(range(5))
    assert end == total(5)


def test_what_is_no_photo_has_its_problem_and_the_others_are_taken(send: Send, line: Line) -> None:
    *lines, end = send(tar([("a.txt", b"a text"), *photos(1), ("b.jpg", b"")]))
    assert [line["status"] for line in lines] == [422, 201, 422]
    assert lines[0]["problem"]["code"] == "not-an-image"
    assert end == total(1, refused=2)
    assert Item.objects.count() == 1


def test_what_file_managers_leave_is_skipped(send: Send, line: Line) -> None:
    found = send(tar([(".DS_Store", b"x"), *photos(1), ("__MACOSX/._p0.jpg", b"x"), ("./sub/q.jpg", photo(7))]))
    assert [one.get("file") for one in found] == ["p0.jpg", "sub/q.jpg", None]
    assert found[-1] == total(2, skipped=2)


def test_the_manifest_tells_more_of_each_file(send: Send, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    rows = manifest(
        {"file": "p1.jpg", "external_id": "A1", "metadata": {"shift": 2}},
        {"file": "./p0.jpg", "prediction": {"probabilities": {"dent": 1.0}}},
        {"file": "p2.jpg", "metadata": [1]},
        {"file": "gone.jpg"},
    )
    *lines, end = send(tar([rows, *((f"./{name}", data) for name, data in photos(4))]))
    items = [one.get("item") or {} for one in lines]
    assert [one.get("external_id") for one in items] == ["", "A1", None, "", None]
    assert [one.get("decision") for one in items] == ["dent", "ok", None, "ok", None]
    assert items[1]["metadata"] == {"shift": 2}
    assert [line["status"] for line in lines] == [201, 201, 422, 201, 422]
    assert (lines[4]["index"], lines[4]["file"], lines[4]["problem"]["code"]) == (None, "gone.jpg", "member-missing")
    assert end == total(3, refused=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[]", "Line 1 of manifest.jsonl is not a JSON object"),
        (b'{"file": "a.jpg"}\n{', "Line 2 of manifest.jsonl is not JSON"),
        (b'{"external_id": "a"}', "does not name its file"),
        (b'{"file": "a"}\n\n{"file": "./a"}', "second line for 'a': line 3"),
        (b'{"file": "\\u0000"}', "NUL"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_manifest_that_cannot_be_read_refuses_the_whole(
    api: Client, untouched: Callable[[], None], text: bytes, words: str
) -> None:
    response = api.post(URL, tar([("manifest.jsonl", text), *photos(1)]), content_type="application/x-tar")
    problem(response, 422, "field-invalid", words)
    untouched()


def test_a_manifest_after_a_photo_ends_it(send: Send, line: Line) -> None:
    *lines, end = send(tar([*photos(1), manifest({"file": "p2.jpg", "external_id": "A"}), *photos(1, first=2)]))
    assert [line["status"] for line in lines] == [201]
    assert (end["complete"], end["problem"]["code"]) == (False, "field-invalid")
    assert "before the photos" in end["problem"]["detail"]


def test_names_become_external_ids_where_the_caller_says_so(send: Send, line: Line) -> None:
    rows = manifest({"file": "p1.jpg", "external_id": "A1"})
    data = tar([rows, *photos(2), ("sub/x.y.jpg", photo(5))])
    assert [one["item"]["external_id"] for one in send(data, query="?external_ids=names")[:-1]] == ["p0", "A1", "x.y"]
    assert [one["item"]["external_id"] for one in send(data)[:-1]] == ["", "A1", ""]


def test_an_external_id_that_is_taken_refuses_its_item_alone(send: Send, line: Line) -> None:
    Line.objects.update(unique_external_ids=True)
    send(tar(photos(1)), query="?external_ids=names")
    data = tar([*photos(2), ("again/p1.jpg", photo(8))])
    assert [(one["file"], one["status"]) for one in send(data, query="?external_ids=names")[:-1]] == [
        ("p0.jpg", 409),
        ("p1.jpg", 201),
        ("again/p1.jpg", 409),
    ]


def test_again_with_the_same_key_the_lines_are_the_same_and_nothing_is_decided_twice(
    send: Send, dial: Callable[..., Any], model: Model
) -> None:
    dial(Mode.FULL)
    data = tar([*photos(3), ("a.txt", b"a text")])
    first = send(data, **{"Idempotency-Key": "monday"})
    dial(Mode.HUMAN_ONLY)
    # Another packing of the same photos is the same archive.
    again = send(zip_([*photos(3), ("a.txt", b"a text")]), "application/zip", **{"Idempotency-Key": "monday"})
    assert again[:-1] == first[:-1]
    assert (first[-1], again[-1]) == (total(3, refused=1), total(replayed=3, refused=1))
    assert (Item.objects.count(), model.asked) == (3, 3)


def test_one_that_was_cut_off_is_completed_by_sending_it_again(send: Send, line: Line) -> None:
    whole = tar(photos(4))
    *lines, end = send(whole[: len(tar(photos(2), ended=False)) + 700], **{"Idempotency-Key": "k"})
    assert [line["status"] for line in lines] == [201, 201]
    assert (end["complete"], end["problem"]["code"]) == (False, "archive-broken")
    again = send(whole, **{"Idempotency-Key": "k"})
    assert again[:2] == lines
    assert again[-1] == total(2, replayed=2)
    assert Item.objects.count() == 4


def test_another_photo_in_the_place_of_one_that_was_decided_is_refused(send: Send, line: Line) -> None:
    send(tar(photos(2)), **{"Idempotency-Key": "k"})
    lines = send(tar([*photos(1), *photos(1, first=9)]), **{"Idempotency-Key": "k"})
    assert [one["status"] for one in lines[:-1]] == [201, 422]
    assert lines[1]["problem"]["code"] == "idempotency-key-reused"
    assert Item.objects.count() == 2


def test_a_key_of_an_archive_and_one_of_a_photo_do_not_meet(send: Send, api: Client, line: Line) -> None:
    send(tar(photos(1)), **{"Idempotency-Key": "k"})
    response = api.post("/api/v1/lines/phones/items", photo(3), content_type="image/jpeg", headers={"Idempotency-Key": "k"})
    assert response.status_code == 201
    problem(
        api.post(URL, tar(photos(1)), content_type="application/x-tar", headers={"Idempotency-Key": "x" * 201}),
        422,
        "field-invalid",
    )


def test_without_a_key_nothing_is_remembered(send: Send, line: Line) -> None:
    send(tar(photos(1)))
    assert not IdempotencyRecord.objects.exists()


def test_somebody_else_at_the_same_key_makes_it_look_again(
    send: Send, token: tuple[ApiToken, str], line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the leap another request with this key commits: its answer is the answer."""
    real, told = routing.route, {"item": "theirs"}

    def route(line: Line, arrivals: Any, **values: Any) -> Any:
        monkeypatch.setattr(routing, "route", real)
        digest = idempotency.digest_of([f"ARCHIVE {line.slug}", arrivals[0].fingerprint])
        answer = idempotency.Answer(201, told)
        idempotency.remember_all(token[0], [(idempotency.part_key("k", 0), digest, answer)], now=timezone.now())
        raise IntegrityError("somebody was faster")

    monkeypatch.setattr(routing, "route", route)
    lines = send(tar(photos(2)), **{"Idempotency-Key": "k"})
    assert lines[0]["item"] == told
    assert lines[-1] == total(1, replayed=1)


def test_a_busy_model_is_waited_for(
    send: Send, dial: Callable[..., Any], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial(Mode.FULL)
    tries = []

    def predict(*args: Any, **values: Any) -> Any:
        tries.append(1)
        if len(tries) < 4:
            raise ModelBusy("too much")
        return model.predict(*args, **values)

    monkeypatch.setattr(service, "predict", predict)
    assert send(tar(photos(2)))[-1] == total(2)


def test_a_model_that_stays_busy_is_not_waited_for_for_ever(
    api: Client, dial: Callable[..., Any], model: Model, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial(Mode.FULL)
    settings.ARCHIVE_PATIENCE_SECONDS = 0

    def predict(*args: Any, **values: Any) -> Any:
        raise ModelBusy("too much")

    monkeypatch.setattr(service, "predict", predict)
    response = api.post(URL, tar(photos(2)), content_type="application/x-tar")
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert Item.objects.count() == 0


def test_a_line_that_is_retired_meanwhile_takes_no_more(send: Send, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    real = routing.route

    def route(line: Line, *args: Any, **values: Any) -> Any:
        Line.objects.update(retired_at=timezone.now())
        return real(line, *args, **values)

    monkeypatch.setattr(routing, "route", route)
    *lines, end = send(tar(photos(4)))
    assert [one["status"] for one in lines] == [201, 201]
    assert (end["complete"], end["problem"]["code"], end["total"]["taken"]) == (False, "line-retired", 2)


def test_a_token_that_is_revoked_meanwhile_takes_no_more(send: Send, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 1)
    real = routing.route

    def route(line: Line, *args: Any, **values: Any) -> Any:
        ApiToken.objects.update(revoked_at=timezone.now())
        return real(line, *args, **values)

    monkeypatch.setattr(routing, "route", route)
    *lines, end = send(tar(photos(2)))
    assert len(lines) == 1
    assert end["problem"]["code"] == "authentication-failed"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "field-invalid"),
        (tar([]), 422, "field-invalid"),
        (zip_([]), 422, "field-invalid"),
        (tar([(".DS_Store", b"x")]), 422, "field-invalid"),
        (b"no archive at all" * 100, 422, "archive-broken"),
        (b"PK", 422, "archive-broken"),
        (b"\x1f\x8b" + bytes(600), 422, "archive-broken"),
    ],
)
def test_one_of_which_nothing_can_be_read_is_refused(
    api: Client, untouched: Callable[[], None], data: bytes, status: int, code: str
) -> None:
    problem(api.post(URL, data, content_type="application/x-tar"), status, code)
    untouched()


def test_what_is_not_taken_at_all(api: Client, untouched: Callable[[], None]) -> None:
    problem(api.post(URL, photo(), content_type="image/jpeg"), 415, "media-type-unsupported", "application/zip")
    problem(api.post(URL, {"image": io.BytesIO(b"x")}), 415, "media-type-unsupported", "multipart/form-data")
    problem(api.post(URL + "?wait=3", tar(photos(1)), content_type="application/zip"), 422, "field-invalid", "wait")
    problem(api.post(URL + "?external_ids=no", tar(photos(1)), content_type="application/zip"), 422, "field-invalid")
    problem(api.get(URL), 405, "method-not-allowed")
    chunked = {"Transfer-Encoding": "chunked"}
    problem(api.post(URL, tar(photos(1)), content_type="application/zip", headers=chunked), 411, "length-required")
    untouched()


def test_the_limits(send: Send, api: Client, line: Line, settings: Any) -> None:
    settings.MAX_ARCHIVE_ITEMS = 2
    *lines, end = send(tar(photos(3)))
    assert [one["status"] for one in lines] == [201, 201]
    assert (end["problem"]["code"], end["problem"]["detail"]) == ("body-too-large", "An archive holds at most 2 photos.")
    settings.MAX_ARCHIVE_BYTES = 5_000
    problem(api.post(URL, tar(photos(3)), content_type="application/x-tar"), 413, "body-too-large", "5000")
    assert send(tar_gz(photos(2)), "application/gzip")[-1]["problem"]["code"] == "body-too-large"


def test_as_many_as_there_is_room_for(
    send: Send, api: Client, line: Line, untouched: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(archive_api, "_places", places)
    assert places.acquire(blocking=False)
    response = api.post(URL, tar(photos(1)), content_type="application/x-tar")
    problem(response, 503, "archives-busy")
    assert response["Retry-After"] == "1"
    untouched()
    places.release()
    # Its room is free again after one that was taken, and after one that was refused.
    for _ in range(2):
        send(tar(photos(1)))
        problem(api.post(URL, b"", content_type="application/x-tar"), 422, "field-invalid")


def test_room_comes_back_where_the_caller_hangs_up(api: Client, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_api, "_places", places := threading.BoundedSemaphore(1))
    response = api.post(URL, tar(photos(1)), content_type="application/x-tar")
    assert not places.acquire(blocking=False)
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)
    assert places.acquire(blocking=False)
    assert Item.objects.count() == 1
