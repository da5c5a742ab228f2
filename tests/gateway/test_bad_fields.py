"""Everything beside the photo that can be wrong with one item: refused, explained, and nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from policies.models import Line
from tests.conftest import photo
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items"
DEEP = "[" * 3_000 + "]" * 3_000


def says(*regions: dict[str, Any], **probabilities: Any) -> str:
    return json.dumps({"probabilities": probabilities, "regions": list(regions)})


def box(**values: Any) -> dict[str, Any]:
    return {"label": "dent", "x": 0.5, "y": 0.5, "width": 0.2, "height": 0.2, **values}


BAD = [
    ({"metadata": "[1, 2]"}, "field-invalid", ["metadata must be a JSON object, not a list"]),
    ({"metadata": '"text"'}, "field-invalid", ["not a text"]),
    ({"metadata": "3"}, "field-invalid", ["not a number"]),
    ({"metadata": "true"}, "field-invalid", ["not a truth value"]),
    ({"metadata": "null"}, "field-invalid", ["not null"]),
    ({"metadata": "{broken"}, "field-invalid", ["metadata is not JSON"]),
    ({"metadata": '{"a": NaN}'}, "field-invalid", ["NaN is not a number that JSON has"]),
    ({"metadata": '{"a": -Infinity}'}, "field-invalid", ["-Infinity is not a number that JSON has"]),
    ({"metadata": '{"a": 1e999}'}, "field-invalid", ["a number that JSON does not have"]),
    ({"metadata": '{"a": ' + "9" * 5_000 + "}"}, "field-invalid", ["metadata"]),
    ({"metadata": '{"a": "\\u0000"}'}, "field-invalid", ["NUL"]),
    ({"metadata": '{"a\\u0000": 1}'}, "field-invalid", ["NUL"]),
    ({"metadata": '{"a": "\\ud800"}'}, "field-invalid", ["surrogate"]),
    ({"metadata": '{"\\udfff": 1}'}, "field-invalid", ["surrogate"]),
    ({"metadata": json.dumps({"a": "x" * 8_200})}, "field-invalid", ["8209 bytes", "at most 8192"]),
    ({"metadata": DEEP}, "field-invalid", ["metadata"]),
    ({"metadata": '{"a": ' + DEEP + "}"}, "field-invalid", ["metadata"]),
    ({"metadata": '{"a": ' + "[" * 40 + "]" * 40 + "}"}, "field-invalid", ["nested", "32"]),
    ({"external_id": "x" * 201}, "field-invalid", ["external_id must be up to 200 printable characters"]),
    ({"external_id": "A\n1"}, "field-invalid", ["printable"]),
    ({"external_id": "A\0"}, "field-invalid", ["external_id holds a NUL"]),
    ({"serial": "A1"}, "field-invalid", ["There is no field serial", "external_id, metadata, prediction and consent"]),
    ({"prediction": "{"}, "field-invalid", ["prediction is not JSON"]),
    ({"prediction": "[]"}, "prediction-not-an-object", ["not list"]),
    ({"prediction": "{}"}, "probabilities-missing", ["'probabilities'"]),
    ({"prediction": '{"probabilities": {"ok": NaN}}'}, "field-invalid", ["NaN"]),
    ({"prediction": '{"probabilities": {"ok": 1e999}}'}, "number-out-of-range", ["inf"]),
    ({"prediction": says(ok=0.5, dent=0.3)}, "probabilities-sum", ["0.8"]),
    ({"prediction": says(ok=0.9, dent=0.3)}, "probabilities-sum", ["1.2"]),
    ({"prediction": says(ok=-0.1, dent=1)}, "number-out-of-range", ["'ok'", "-0.1"]),
    ({"prediction": says(ok="1")}, "not-a-number", ["'1'"]),
    ({"prediction": says(ok=True)}, "not-a-number", ["True"]),
    ({"prediction": says(ok=0.5, crack=0.5)}, "class-unknown", ["'crack'", "ok, scratch, dent"]),
    ({"prediction": '{"probabilities": {"ok": 0.5, "\\ud800": 0.5}}'}, "field-invalid", ["surrogate"]),
    ({"prediction": says(box(x=0.9), ok=1.0)}, "region-outside", ["region 1", "1.1"]),
    ({"prediction": says(box(), box(y=-1), ok=1.0)}, "number-out-of-range", ["region 2"]),
    ({"prediction": says(box(width=0), ok=1.0)}, "region-empty", ["no area"]),
    ({"prediction": says(box(label="crack"), ok=1.0)}, "class-unknown", ["'crack'"]),
    ({"prediction": says(*[box()] * 101, ok=1.0)}, "regions-too-many", ["101", "100"]),
    ({"prediction": '{"probabilities": ' + DEEP + "}"}, "field-invalid", ["prediction"]),
]


@pytest.mark.parametrize(("fields", "code", "words"), BAD, ids=[f"{n} {code}" for n, (_, code, _) in enumerate(BAD)])
def test_a_bad_field_beside_a_raw_body(
    api: Client, untouched: Callable[[], None], fields: dict[str, str], code: str, words: list[str]
) -> None:
    problem(api.post(URL, photo(), content_type="image/jpeg", query_params=fields), 422, code, *words)
    untouched()


@pytest.mark.parametrize(("fields", "code", "words"), BAD, ids=[f"{n} {code}" for n, (_, code, _) in enumerate(BAD)])
def test_a_bad_field_of_a_form(
    api: Client, untouched: Callable[[], None], fields: dict[str, str], code: str, words: list[str]
) -> None:
    problem(api.post(URL, {"image": SimpleUploadedFile("a.jpg", photo()), **fields}), 422, code, *words)
    untouched()


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", "", "1e400"])
def test_a_bad_wait(api: Client, untouched: Callable[[], None], wait: str) -> None:
    response = api.post(URL, photo(), content_type="image/jpeg", query_params={"wait": wait})
    problem(response, 422, "field-invalid", "wait must be between 0 and 60 seconds", repr(wait))
    untouched()


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "video/mp4", "imagejpeg", "multipart/mixed"])
def test_a_wrong_content_type(api: Client, untouched: Callable[[], None], content_type: str) -> None:
    response = api.post(URL, photo(), content_type=content_type)
    problem(response, 415, "media-type-unsupported", content_type, "image/jpeg, image/png, image/webp")
    untouched()


def test_no_content_type(api: Client, untouched: Callable[[], None]) -> None:
    problem(api.post(URL, b"", content_type=""), 415, "media-type-unsupported", "untyped")
    untouched()


def test_an_unknown_line(api: Client, untouched: Callable[[], None]) -> None:
    response = api.post("/api/v1/lines/tiles/items", photo(), content_type="image/jpeg")
    problem(response, 404, "line-unknown", "'tiles'")
    untouched()


def test_a_retired_line_takes_no_items_and_still_shows_its_own(api: Client, untouched: Callable[[], None]) -> None:
    Line.objects.update(retired_at=datetime(2026, 3, 1, tzinfo=UTC))
    for url in (URL, f"{URL}/batch"):
        problem(api.post(url, photo(), content_type="image/jpeg"), 409, "line-retired", "2026-03-01")
    untouched()
    assert api.get(URL).status_code == 200


def file(name: str = "a.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photo())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"photo": file()}, "1 called photo"),
        ({"image": [file(), file("b.jpg")]}, "2 called image"),
        ({"image": file(), "mask": file("b.png")}, "1 called mask"),
        ({"external_id": "A1"}, "none"),
        ({"image": "not a file"}, "none"),
    ],
)
def test_a_form_without_exactly_one_image(api: Client, untouched: Callable[[], None], data: dict[str, Any], words: str) -> None:
    response = api.post(URL, data)
    problem(response, 422, "field-invalid", "exactly one file, called image", words)
    untouched()


def test_fields_of_a_form_are_not_looked_for_in_the_address(api: Client, untouched: Callable[[], None]) -> None:
    """They would be lost silently otherwise."""
    response = api.post(URL, {"image": file()}, query_params={"external_id": "A1"})
    problem(response, 422, "field-invalid", "external_id", "in the form")
    untouched()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"nothing like a form", "multipart/form-data"),
        (b"nothing like a form", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data; name=image; filename=a.jpg\r\n\r\n\xff\xd8",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n", "multipart/form-data; boundary=\xff"),
        (
            b"--x\r\nContent-Disposition: form-data; name*=nonsense''%41\r\n\r\n1\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_a_broken_form(api: Client, untouched: Callable[[], None], body: bytes, content_type: str) -> None:
    response = api.generic("POST", URL, body, content_type)
    assert 400 <= response.status_code < 500
    assert response["Content-Type"] == "application/problem+json"
    untouched()


def test_too_many_fields(api: Client, untouched: Callable[[], None]) -> None:
    many = {f"f{number}": "1" for number in range(1_001)}
    problem(api.post(URL, {"image": file(), **many}), 413, "body-too-large", "1000")
    problem(api.post(URL, photo(), content_type="image/jpeg", query_params=many), 413, "body-too-large", "1000")
    untouched()


def test_fields_that_are_too_long_together(api: Client, untouched: Callable[[], None], settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    problem(api.post(URL, {"image": file(), "metadata": "x" * 10_001}), 413, "body-too-large")
    untouched()


@pytest.mark.parametrize("charset", ["idna", "utf-16", "latin-1", "nonsense", "\xff"])
def test_a_charset_nobody_asked_for_is_harmless(api: Client, line: Line, charset: str) -> None:
    content_type = f"image/jpeg; charset={charset}"
    response = api.generic("POST", f"{URL}?external_id=A1", photo(), content_type)
    assert response.status_code == 201, response.content
    assert response.json()["external_id"] == "A1"


@pytest.mark.parametrize("query", ["external_id=%ED%A0%80", "external_id=%FF%FE", "external_id=\xff"])
def test_bytes_in_the_address_that_are_no_text(api: Client, line: Line, query: str) -> None:
    """They are replaced as browsers do it; what is stored can be written out again."""
    response = api.generic("POST", URL, photo(), "image/jpeg", QUERY_STRING=query)
    assert response.status_code == 201, response.content
    assert set(response.json()["external_id"]) <= {"\ufffd", "\xff"}
    assert api.get(URL).json()["results"][0]["id"] == response.json()["id"]


def test_an_address_that_is_no_text(api: Client, untouched: Callable[[], None]) -> None:
    response = api.generic("POST", "/api/v1/lines/%ED%A0%80/items", photo(), "image/jpeg")
    problem(response, 404, "not-found")
    untouched()
