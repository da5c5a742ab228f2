"""Photos that cannot be taken are refused with what is wrong, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.conftest import photo
from tests.gateway import pictures
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items"
WHOLE = photo(1, (64, 64))

BAD = [
    pytest.param(b"", 422, "empty", ["0 bytes"], id="nothing"),
    pytest.param(b"Dear camera, this is a text.", 422, "not-an-image", ["44 65 61 72"], id="a text called jpg"),
    pytest.param(WHOLE[: len(WHOLE) // 2], 422, "image-truncated", [str(len(WHOLE) // 2)], id="half a photo"),
    pytest.param(WHOLE[:-2], 422, "image-truncated", [str(len(WHOLE) - 2)], id="without its end"),
    pytest.param(WHOLE[:3], 422, "image-truncated", ["3 bytes"], id="three bytes of a photo"),
    pytest.param(photo(1, form="PNG")[:-40], 422, "image-truncated", ["PNG"], id="half a png"),
    pytest.param(b"GIF89a" + bytes(64), 415, "image-format", ["GIF", "JPEG, PNG and WebP"], id="a gif"),
    pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(64), 422, "image-corrupt", [], id="a jpeg of zeros"),
    pytest.param(pictures.bomb(), 422, "image-dimensions", ["30,000 x 30,000", "12,000"], id="a bomb"),
    pytest.param(pictures.bomb(11_000), 422, "image-dimensions", ["121,000,000", "60,000,000"], id="a smaller bomb"),
    pytest.param(photo(1, (4, 400)), 422, "image-too-small", ["4 x 400"], id="a line of pixels"),
    pytest.param(photo(1, (12_001, 8)), 422, "image-dimensions", ["12,001"], id="a very wide one"),
]


@pytest.mark.parametrize(("data", "status", "code", "words"), BAD)
def test_a_bad_photo_as_a_raw_body(
    api: Client, untouched: Callable[[], None], data: bytes, status: int, code: str, words: list[str]
) -> None:
    # The test client says no type where there is no body.
    response = api.post(URL, data, content_type="image/jpeg", CONTENT_TYPE="image/jpeg")
    problem(response, status, code, *words)
    untouched()


@pytest.mark.parametrize(("data", "status", "code", "words"), BAD)
def test_a_bad_photo_as_a_form(
    api: Client, untouched: Callable[[], None], data: bytes, status: int, code: str, words: list[str]
) -> None:
    file = SimpleUploadedFile("photo.jpg", data, content_type="image/jpeg")
    problem(api.post(URL, {"image": file}), status, code, *words)
    untouched()


def test_a_photo_over_the_size_limit(api: Client, untouched: Callable[[], None], settings: Any) -> None:
    settings.MAX_PHOTO_BYTES = len(WHOLE) - 1
    problem(api.post(URL, WHOLE, content_type="image/jpeg"), 413, "body-too-large", str(len(WHOLE) - 1))
    file = SimpleUploadedFile("photo.jpg", WHOLE)
    problem(api.post(URL, {"image": file}), 413, "image-too-large", str(len(WHOLE)), str(len(WHOLE) - 1))
    untouched()


def test_a_photo_of_just_the_size_limit_is_taken(api: Client, media_folder: Any, line: Any, settings: Any) -> None:
    settings.MAX_PHOTO_BYTES = len(WHOLE)
    assert api.post(URL, WHOLE, content_type="image/jpeg").status_code == 201


def test_the_limits_on_pixels_come_from_the_settings(api: Client, untouched: Callable[[], None], settings: Any) -> None:
    settings.MAX_PHOTO_SIDE = 63
    problem(api.post(URL, WHOLE, content_type="image/jpeg"), 422, "image-dimensions", "64 x 64", "63")
    settings.MAX_PHOTO_SIDE, settings.MAX_PHOTO_PIXELS = 64, 4095
    problem(api.post(URL, WHOLE, content_type="image/jpeg"), 422, "image-dimensions", "4,096", "4,095")
    untouched()


def test_a_body_that_says_it_is_too_long_is_not_read(api: Client, untouched: Callable[[], None]) -> None:
    """The header alone is enough: nobody waits for gigabytes only to refuse them."""
    response = api.post(URL, WHOLE, content_type="image/jpeg", headers={"Content-Length": str(10**12)})
    problem(response, 413, "body-too-large", "20971520")
    untouched()
