from __future__ import annotations

import io
from base64 import b64decode

from PIL import Image

from monitoring.heatmap import COLOUR, data_uri


def test_the_opacity_follows_the_values() -> None:
    uri = data_uri(2, 3, bytes([0, 5, 13, 100, 200, 255]))
    with Image.open(io.BytesIO(b64decode(uri.removeprefix("data:image/png;base64,")))) as image:
        pixels = [image.getpixel((column, row)) for row in range(2) for column in range(3)]
        assert image.size == (3, 2)
    assert [pixel[3] for pixel in pixels] == [0, 0, 10, 80, 160, 204]
    assert {pixel[:3] for pixel in pixels} == {COLOUR}


def test_a_map_that_is_none_is_not_drawn() -> None:
    assert data_uri(0, 0, b"") == ""
    assert data_uri(2, 2, b"123") == ""
