"""A large photo takes little more memory than its decoder needs, and few are decoded at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from inference.images import pixels
from inference.images.pixels import upright_within
from inference.images.sniff import walker
from tests.inference.pictures import decode, encoded, gradient

SOON = 120.0


def sixteen_bits() -> Image.Image:
    return Image.fromarray((np.asarray(gradient(500, 300).convert("L")).astype(np.uint16)) * 257)


def seen_through() -> Image.Image:
    image = gradient(500, 300).convert("RGBA")
    image.putalpha(gradient(500, 300).convert("L"))
    return image


PICTURES = {"sixteen bits": sixteen_bits(), "transparent": seen_through(), "palette": gradient(500, 300).quantize(16)}


@pytest.mark.parametrize("name", PICTURES)
def test_colours_are_converted_a_band_at_a_time_and_come_out_the_same(name, monkeypatch):
    data = encoded(PICTURES[name], "PNG")
    whole = decode(data).pixels
    converted: list[int] = []
    real = pixels._rgb

    def counted(image: Image.Image) -> Image.Image:
        converted.append(image.width * image.height)
        return real(image)

    monkeypatch.setattr(pixels, "_rgb", counted)
    monkeypatch.setattr(pixels, "BAND_PIXELS", 500 * 7)
    assert (decode(data).pixels == whole).all()
    assert sum(converted) == 500 * 300
    assert max(converted) <= 500 * 7


@pytest.mark.parametrize(("limit", "together"), [(64 * 48 - 1, 2), (64 * 48, 4)])
def test_few_large_photos_are_decoded_at_the_same_time(monkeypatch, limit, together):
    data, begun, go = encoded(gradient(), "PNG"), threading.Semaphore(0), threading.Event()
    real = pixels._loaded

    def held(*arguments):
        begun.release()
        assert go.wait(SOON)
        return real(*arguments)

    monkeypatch.setattr(pixels, "LARGE_PIXELS", limit)
    monkeypatch.setattr(pixels, "_loaded", held)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(decode, data) for _ in range(4)]
        try:
            assert all(begun.acquire(timeout=SOON) for _ in range(together))
            assert not begun.acquire(timeout=0.05), "one more than there are places for"
        finally:
            go.set()
        assert [future.result(SOON).width for future in found] == [64] * 4


@pytest.mark.parametrize(("turn", "size"), [(1, (320, 192)), (6, (144, 240))])
def test_a_small_picture_keeps_its_shape_upright(turn, size):
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encoded(gradient(500, 300), "JPEG", exif=exif)
    assert upright_within(walker(data)(data), 320, 240).size == size


def test_a_small_picture_is_not_enlarged():
    data = encoded(gradient(48, 32), "PNG")
    assert upright_within(walker(data)(data), 320, 240).size == (48, 32)
