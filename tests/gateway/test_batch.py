"""Many photos in one request: a result for each, in order, and a bad one harms nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gateway.models import Event, Item
from policies.modes import Mode
from tests.conftest import Model, photo
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items/batch"


def files(count: int, bad: tuple[int, ...] = ()) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{number}.jpg", b"a text" if number in bad else photo(number)) for number in range(count)]


def test_every_item_gets_its_result_in_order(api: Client, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    fields = [{"external_id": f"A{number}", "metadata": {"number": number}} for number in range(4)]
    response = api.post(URL, {"image": files(4), "items": json.dumps(fields)})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [(one["index"], one["status"], one["item"]["external_id"]) for one in results] == [
        (number, 201, f"A{number}") for number in range(4)
    ]
    assert [one["item"]["metadata"]["number"] for one in results] == [0, 1, 2, 3]
    assert [one["item"]["decision"] for one in results] == ["ok"] * 4
    assert results[0]["item"] == api.get(f"/api/v1/items/{results[0]['item']['id']}").json()
    assert model.asked == 4


def test_the_fields_are_optional(api: Client, line: Any) -> None:
    results = api.post(URL, {"image": files(2)}).json()["results"]
    assert [one["item"]["external_id"] for one in results] == ["", ""]


def test_a_bad_item_has_its_problem_and_the_others_are_taken(api: Client, line: Any) -> None:
    fields = [{}, {}, {"metadata": [1]}, {"serial": "A1"}, {"prediction": {"probabilities": {"ok": 0.2}}}, {"external_id": 7}]
    results = api.post(URL, {"image": files(6, bad=(1,)), "items": json.dumps(fields)}).json()["results"]

    assert [one["status"] for one in results] == [201, 422, 422, 422, 422, 422]
    codes = [one["problem"]["code"] for one in results[1:]]
    assert codes == ["not-an-image", "field-invalid", "field-invalid", "probabilities-sum", "field-invalid"]
    assert set(results[1]["problem"]) == {"type", "title", "status", "code", "detail"}
    assert all("item" not in one for one in results[1:])
    assert [str(item.pk) for item in Item.objects.all()] == [results[0]["item"]["id"]]


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {"a": "\ud800"}},
        {"\udfff": 1},
        {"external_id": "\ud800"},
        {"prediction": {"probabilities": {"\ud800": 1}}},
        {"metadata": {"a": "\0"}},
    ],
)
def test_text_that_cannot_be_stored_harms_only_its_own_item(api: Client, line: Any, fields: dict[str, Any]) -> None:
    results = api.post(URL, {"image": files(2), "items": json.dumps([fields, {}])}).json()["results"]
    assert [one["status"] for one in results] == [422, 201]


def test_mixed_brought_and_asked_predictions_go_to_their_own_items(api: Client, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    own = {"prediction": {"probabilities": {"dent": 1.0}}}
    results = api.post(URL, {"image": files(3), "items": json.dumps([{}, own, {}])}).json()["results"]
    assert [one["item"]["decision"] for one in results] == ["ok", "dent", "ok"]
    assert [one["item"]["model_version"] for one in results] == ["inspection-test-1", "caller", "inspection-test-1"]
    assert model.asked == 2


def test_when_all_are_bad_nothing_is_recorded(api: Client, untouched: Callable[[], None]) -> None:
    response = api.post(URL, {"image": files(2, bad=(0, 1))})
    assert [one["status"] for one in response.json()["results"]] == [422, 422]
    untouched()


def test_a_photo_over_the_limit_is_refused_alone(api: Client, line: Any, settings: Any) -> None:
    large = SimpleUploadedFile("large.jpg", photo(1, (200, 200)))
    settings.MAX_PHOTO_BYTES = 5_000
    results = api.post(URL, {"image": [large, *files(1)]}).json()["results"]
    assert [one["status"] for one in results] == [413, 201]
    assert "5000" in results[0]["problem"]["detail"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"items": "[]"}, ["one or more files", "none"]),
        ({"photo": files(2)}, ["2 called photo"]),
        ({"image": files(1), "mask": files(1)}, ["1 called mask"]),
        ({"image": files(2), "items": "[{}]"}, ["describes 1 items and 2 files"]),
        ({"image": files(1), "items": "[{}, {}]"}, ["describes 2 items and 1 files"]),
        ({"image": files(1), "items": "{}"}, ["a JSON list of objects"]),
        ({"image": files(1), "items": "[1]"}, ["a JSON list of objects"]),
        ({"image": files(1), "items": "["}, ["items is not JSON"]),
        ({"image": files(1), "items": '[{"metadata": {"a": NaN}}]'}, ["NaN"]),
        ({"image": files(1), "items": "[" * 5_000}, ["items is not JSON"]),
        ({"image": files(1), "external_id": "A1"}, ["There is no field external_id", "items"]),
    ],
)
def test_a_bad_envelope(api: Client, untouched: Callable[[], None], data: dict[str, Any], words: list[str]) -> None:
    for file in [one for group in data.values() if isinstance(group, list) for one in group]:
        file.seek(0)
    problem(api.post(URL, data), 422, "field-invalid", *words)
    untouched()


def test_too_many_at_once(api: Client, untouched: Callable[[], None], settings: Any) -> None:
    settings.MAX_BATCH_ITEMS = 3
    problem(api.post(URL, {"image": files(4)}), 413, "body-too-large", "at most 3 items, not 4")
    untouched()


def test_far_too_many_at_once(api: Client, untouched: Callable[[], None], settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    problem(api.post(URL, {"image": files(4)}), 413, "body-too-large", "at most 3 files")
    untouched()


def test_a_batch_is_a_form(api: Client, untouched: Callable[[], None]) -> None:
    problem(api.post(URL, photo(), content_type="image/jpeg"), 415, "media-type-unsupported", "multipart/form-data")
    problem(api.post(URL, "[]", content_type="application/json"), 415, "media-type-unsupported", "application/json")
    untouched()


def test_a_batch_is_posted(api: Client, line: Any) -> None:
    problem(api.get(URL), 405, "method-not-allowed")


def test_every_item_of_a_batch_leaves_its_own_event(api: Client, line: Any) -> None:
    api.post(URL, {"image": files(3)})
    assert Event.objects.filter(kind="item.referred").values("item").distinct().count() == 3
