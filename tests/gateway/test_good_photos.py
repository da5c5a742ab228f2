"""Unusual photos that are whole and taken, with their upright size, and shown small to people."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from gateway import media
from gateway.models import Item
from policies.models import Line
from tests.conftest import photo
from tests.gateway import pictures

GOOD = [
    pytest.param(photo(3), "image/jpeg", (48, 32), id="jpeg"),
    pytest.param(photo(3, form="PNG"), "image/png", (48, 32), id="png"),
    pytest.param(photo(3, form="WEBP"), "image/webp", (48, 32), id="webp"),
    pytest.param(pictures.cmyk(), "image/jpeg", (48, 32), id="cmyk"),
    pytest.param(pictures.sixteen_bit(), "image/png", (48, 32), id="sixteen bit"),
    pytest.param(pictures.animated(), "image/webp", (48, 32), id="animated"),
    pytest.param(pictures.transparent(), "image/png", (48, 32), id="transparent"),
    pytest.param(pictures.lying(), "image/jpeg", (32, 48), id="turned by exif"),
    pytest.param(pictures.with_broken_exif(), "image/jpeg", (48, 32), id="broken exif"),
    pytest.param(pictures.with_text_bomb(), "image/png", (48, 32), id="a bomb in a comment"),
    pytest.param(photo(3) + b"left over", "image/jpeg", (48, 32), id="something behind the end"),
]


@pytest.mark.parametrize(("data", "media_type", "size"), GOOD)
def test_it_is_taken_as_it_came_and_shown_small(
    api: Client,
    line: Line,
    max_: User,
    login: Callable[[User], Client],
    data: bytes,
    media_type: str,
    size: tuple[int, int],
) -> None:
    response = api.post("/api/v1/lines/phones/items", data, content_type="application/octet-stream")
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["photo"] == {
        "sha256": media.digest_of(data),
        "media_type": media_type,
        "bytes": len(data),
        "width": size[0],
        "height": size[1],
        "deleted_at": None,
    }
    assert media.load(body["photo"]["sha256"]) == data
    item = Item.objects.get(pk=body["id"])
    assert 0 <= item.brightness <= 1

    small = login(max_).get(f"/items/{item.pk}/thumbnail")
    assert (small.status_code, small["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(small.content)) as image:
        assert (image.mode, image.size) == ("RGB", size)


def test_a_dark_sixteen_bit_photo_is_shown_dark(api: Client, line: Line, max_: User, login: Callable[[User], Client]) -> None:
    """Sixteen bits are scaled down, not cut off: else everything but black would be white."""
    body = api.post("/api/v1/lines/phones/items", pictures.sixteen_bit(), content_type="image/png").json()
    small = login(max_).get(f"/items/{body['id']}/thumbnail")
    with Image.open(io.BytesIO(small.content)) as image:
        assert 100 < np.asarray(image).mean() < 155


def test_a_large_photo_is_shown_small_and_in_proportion(
    post: Callable[..., Any], api: Client, max_: User, line: Line, login: Callable[[User], Client]
) -> None:
    data = pictures.encoded(pictures.plain(1600, 400), "JPEG")
    body = api.post("/api/v1/lines/phones/items", data, content_type="image/jpeg").json()
    small = login(max_).get(f"/items/{body['id']}/thumbnail")
    with Image.open(io.BytesIO(small.content)) as image:
        assert image.size == (320, 80)
