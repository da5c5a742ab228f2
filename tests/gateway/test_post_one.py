"""One photo in, one answer out: as a raw body, as a form, with the caller's own prediction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.dateparse import parse_datetime

from gateway import media
from gateway.models import Item, Prediction
from gateway.tokens import create_token
from policies.decide import draw_for
from policies.modes import Mode
from tests.conftest import Model, photo, uuid_of

URL = "/api/v1/lines/phones/items"
OWN = {
    "probabilities": {"ok": 0.04, "dent": 0.96},
    "regions": [{"label": "dent", "x": 0.25, "y": 0.5, "width": 0.25, "height": 0.125}],
}


def test_a_raw_body_is_answered_with_everything_that_became_of_it(
    api: Client, dial: Callable[..., Any], model: Model, now: datetime
) -> None:
    policy = dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    query = {"external_id": "SN-1", "metadata": '{"station": 4, "tags": ["new"]}'}
    response = api.post(URL, photo(5), content_type="image/jpeg", query_params=query)

    assert response.status_code == 201
    body = response.json()
    assert response["Location"] == f"/api/v1/items/{body['id']}"
    assert api.get(response["Location"]).json() == body
    assert parse_datetime(body.pop("received_at")) >= now
    assert parse_datetime(body.pop("decided_at")) >= now
    assert body.pop("id")
    assert body == {
        "line": "phones",
        "external_id": "SN-1",
        "metadata": {"station": 4, "tags": ["new"]},
        "consent": True,
        "status": "decided",
        "decision": "ok",
        "decided_by": "model",
        "revision": 1,
        "route": "automate",
        "reason": "confident",
        "policy_version": policy.number,
        "mode": "partial",
        "model_version": "inspection-test-1",
        "photo": {
            "sha256": media.digest_of(photo(5)),
            "media_type": "image/jpeg",
            "bytes": len(photo(5)),
            "width": 48,
            "height": 32,
            "deleted_at": None,
        },
        "prediction": {
            "answer": "ok",
            "probabilities": {"ok": 0.97, "scratch": 0.02, "dent": 0.01},
            "regions": [],
            "latency_ms": 1.5,
        },
    }


def test_a_referred_item_says_so(api: Client, line: Any) -> None:
    body = api.post(URL, photo(), content_type="image/jpeg").json()
    assert (body["status"], body["decision"], body["decided_by"], body["decided_at"]) == ("referred", None, None, None)
    assert (body["prediction"], body["model_version"], body["revision"]) == (None, None, 0)


@pytest.mark.parametrize("content_type", ["image/jpeg", "IMAGE/JPEG", "image/png", "application/octet-stream"])
def test_what_the_photo_is_called_does_not_matter(api: Client, line: Any, content_type: str) -> None:
    response = api.post(URL, photo(), content_type=content_type)
    assert response.status_code == 201
    assert response.json()["photo"]["media_type"] == "image/jpeg"


def test_a_form_carries_its_fields(api: Client, line: Any) -> None:
    file = SimpleUploadedFile("whatever.txt", photo(5), content_type="text/plain")
    response = api.post(URL, {"image": file, "external_id": "SN-ü-2", "metadata": '{"a": {"b": null}}'})
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["external_id"], body["metadata"]) == ("SN-ü-2", {"a": {"b": None}})
    assert body["photo"]["sha256"] == media.digest_of(photo(5))
    assert Item.objects.get(pk=body["id"]).source == "camera"


def test_empty_fields_count_as_left_out(api: Client, line: Any) -> None:
    query = {"external_id": "", "metadata": "", "prediction": ""}
    body = api.post(URL, photo(), content_type="image/jpeg", query_params=query).json()
    assert (body["external_id"], body["metadata"], body["prediction"]) == ("", {}, None)


def test_metadata_may_speak_of_escapes(api: Client, line: Any) -> None:
    """The text backslash-u-0000 is not the character NUL."""
    metadata = json.dumps({"regex": "\\u0000 and \\ud800"})
    response = api.post(URL, photo(), content_type="image/jpeg", query_params={"metadata": metadata})
    assert response.status_code == 201, response.content
    assert response.json()["metadata"] == json.loads(metadata)


@pytest.mark.parametrize("as_form", [True, False])
def test_the_callers_own_prediction_routes_the_item(api: Client, dial: Callable[..., Any], model: Model, as_form: bool) -> None:
    dial(Mode.PARTIAL, thresholds={"dent": 0.95})
    if as_form:
        response = api.post(URL, {"image": SimpleUploadedFile("a.jpg", photo()), "prediction": json.dumps(OWN)})
    else:
        query = {"prediction": json.dumps(OWN)}
        response = api.post(URL, photo(), content_type="image/jpeg", query_params=query)
    body = response.json()
    assert (body["route"], body["reason"], body["decision"]) == ("automate", "confident", "dent")
    assert (body["model_version"], model.asked) == ("caller", 0)
    assert body["prediction"] == {
        "answer": "dent",
        "probabilities": {"ok": 0.04, "scratch": 0.0, "dent": 0.96},
        "regions": [{**OWN["regions"][0], "score": 0.96}],
        "latency_ms": None,
    }
    assert Prediction.objects.get().model_version is None


def test_the_callers_own_prediction_needs_no_model_of_ours(api: Client, dial: Callable[..., Any]) -> None:
    dial(Mode.FULL)
    body = api.post(URL, photo(), content_type="image/jpeg", query_params={"prediction": json.dumps(OWN)}).json()
    assert (body["status"], body["decision"]) == ("decided", "dent")


def test_human_only_keeps_the_callers_prediction_and_does_not_follow_it(api: Client, line: Any) -> None:
    body = api.post(URL, photo(), content_type="image/jpeg", query_params={"prediction": json.dumps(OWN)}).json()
    assert (body["status"], body["reason"], body["model_version"]) == ("referred", "human_only", "caller")


def test_the_draw_can_be_computed_again(post: Callable[..., Any], line: Any) -> None:
    item = Item.objects.get(pk=uuid_of(post()))
    assert item.draw == draw_for(item.pk, line.secret)


def test_two_equal_photos_are_two_items_and_one_file(post: Callable[..., Any], line: Any, media_folder: Any) -> None:
    first, second = post(seed=8), post(seed=8)
    assert first["id"] != second["id"]
    assert len([path for path in media_folder.rglob("*") if path.is_file()]) == 1


def test_ids_sort_by_time(post: Callable[..., Any], line: Any) -> None:
    ids = [post()["id"] for _ in range(3)]
    # The first 48 bits are milliseconds.
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


def test_a_prediction_is_left_out_for_who_must_not_see_it(
    line: Any, dial: Callable[..., Any], model: Model, now: datetime
) -> None:
    from_camera = _client(["items:write", "items:read"], now)
    dial(Mode.ASSIST)
    body = from_camera.post(URL, photo(), content_type="image/jpeg").json()
    assert "prediction" not in body
    assert "prediction" not in from_camera.get(f"/api/v1/items/{body['id']}").json()
    assert "prediction" not in from_camera.get(URL).json()["results"][0]


def _client(scopes: list[str], now: datetime) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token('c2', scopes=scopes, line=None, by=None, now=now)[1]}"})


def test_curl_without_a_content_type_is_understood(api: Client, line: Any) -> None:
    """`curl --data-binary @photo.jpg` calls every body a form."""
    response = api.post("/api/v1/lines/phones/items", photo(), content_type="application/x-www-form-urlencoded")
    assert response.status_code == 201
