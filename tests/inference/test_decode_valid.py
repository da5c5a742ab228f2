"""Unusual pictures that are sound work, and come out upright, whole and at the right brightness."""

from __future__ import annotations

import io
import math
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from inference.images.exif import orientation
from inference.images.stats import light_and_focus
from tests.inference.pictures import decode, encoded, gradient, png_chunk


def corners(pixels: np.ndarray) -> list[list[int]]:
    """The colours near the four corners, clockwise from the top left."""
    near, far = 12, 211
    return [pixels[row, column].astype(int).tolist() for row, column in ((near, near), (near, far), (far, far), (far, near))]


def alike(found: list[list[int]], wanted: list[list[int]], within: int = 16) -> bool:
    return np.abs(np.array(found) - np.array(wanted)).max() <= within


UPRIGHT = corners(decode(encoded(gradient(), "PNG")).pixels)


@pytest.mark.parametrize(("form", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_the_three_formats_give_the_same_picture(form, media_type):
    found = decode(encoded(gradient(), form, quality=95))
    assert found.pixels.shape == (224, 224, 3)
    assert found.pixels.dtype == np.uint8
    assert (found.media_type, found.width, found.height) == (media_type, 64, 48)
    assert alike(corners(found.pixels), UPRIGHT)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_comes_out_upright(form, turn):
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = gradient().transpose(back[turn]) if turn in back else gradient()
    exif = Image.Exif()
    exif[0x0112] = turn
    found = decode(encoded(stored, form, exif=exif, quality=95))
    assert (found.width, found.height) == (64, 48)
    assert alike(corners(found.pixels), UPRIGHT)


def test_cmyk_jpeg():
    assert alike(corners(decode(encoded(gradient().convert("CMYK"), "JPEG", quality=95)).pixels), UPRIGHT)


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    found = decode(encoded(Image.fromarray(values), "PNG")).pixels
    assert abs(int(found[112, 112, 0]) - 128) <= 3
    assert found[0, 0, 0] <= 5
    assert found[-1, -1, 0] >= 250


def test_one_bit():
    image = Image.new("1", (32, 32), 1)
    assert decode(encoded(image, "PNG")).pixels.min() == 255


def test_a_palette():
    assert alike(corners(decode(encoded(gradient().quantize(64), "PNG")).pixels), UPRIGHT, within=40)


def test_what_is_transparent_is_black():
    image = gradient().convert("RGBA")
    image.putalpha(0)
    assert decode(encoded(image, "PNG")).pixels.max() == 0


def test_a_transparent_colour_of_a_palette_is_black():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([255, 255, 255, 255, 0, 0])
    assert decode(encoded(image, "PNG", transparency=1)).pixels.max() == 0


def test_grey():
    found = decode(encoded(gradient().convert("L"), "JPEG")).pixels
    assert (found[..., 0] == found[..., 2]).all()


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation(form):
    others = [Image.new("RGB", (64, 48), "white")] * 2
    data = encoded(gradient(), form, save_all=True, append_images=others, duration=50, lossless=True)
    assert alike(corners(decode(data).pixels), UPRIGHT)


def test_what_follows_the_picture_is_ignored():
    assert decode(encoded(gradient(), "JPEG") + b"a trailer of the camera").width == 64


def test_a_large_jpeg_is_scaled_while_it_is_decoded():
    found = decode(encoded(gradient(1600, 1200), "JPEG", quality=95))
    assert (found.width, found.height) == (1600, 1200)
    assert alike(corners(found.pixels), UPRIGHT)


def test_damaged_exif_and_animation_chunks_neither_refuse_nor_warn():
    jpeg = encoded(gradient(), "JPEG")
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 500) + b"\x12\x01\x09\x00"
    damaged = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]
    png = encoded(gradient(), "PNG")
    animated = png[:33] + png_chunk(b"acTL", bytes(8)) + png[33:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(damaged).width == 64
        assert decode(animated).width == 64


@pytest.mark.parametrize(
    "block",
    [b"", b"II*\0", b"MM\0*\0\0\0\x08", b"XX*\0\0\0\0\0", b"II*\0" + struct.pack("<IHHHIH", 8, 1, 0x112, 3, 1, 9) + b"\0\0"],
)
def test_an_orientation_that_cannot_be_read_is_upright(block):
    assert orientation(block) == 1


def test_a_big_endian_orientation():
    assert orientation(b"MM\0*" + struct.pack(">IHHHIH", 8, 1, 0x112, 3, 1, 6) + b"\0\0") == 6


def test_many_threads_get_what_one_gets():
    files = [encoded(gradient(40 + n, 30), form) for n in range(4) for form in ("JPEG", "PNG", "WEBP")]
    alone = [decode(data).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: decode(data).pixels, files * 4))
    assert all((found == alone[n % len(files)]).all() for n, found in enumerate(together))


def test_light_and_focus_by_hand():
    pixels = np.zeros((5, 5, 3), np.uint8)
    pixels[2, 2] = 255
    found = light_and_focus(pixels)
    # The Laplacian of one white dot on the inner 3 x 3: -4 in the middle, 1 at its four neighbours, times 255.
    laplacian = 255.0 * np.array([0, 1, 0, 1, -4, 1, 0, 1, 0])
    assert found["brightness"] == pytest.approx(1 / 25)
    assert found["contrast"] == pytest.approx(math.sqrt(1 / 25 - (1 / 25) ** 2), rel=1e-5)
    assert found["sharpness"] == pytest.approx(math.log1p(laplacian.var()), rel=1e-5)


def test_sharpness_compares_across_resolutions():
    pattern = Image.effect_noise((300, 300), 60)
    small = decode(encoded(pattern, "PNG")).stats["sharpness"]
    large = decode(encoded(pattern.resize((1200, 1200), Image.Resampling.NEAREST), "PNG")).stats["sharpness"]
    assert small == pytest.approx(large, abs=1.0)


def test_decoding_leaves_the_bytes_alone():
    data = encoded(gradient(), "PNG")
    before = io.BytesIO(data).getvalue()
    decode(data)
    assert data == before
