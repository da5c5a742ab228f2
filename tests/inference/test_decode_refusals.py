"""Bad input gets an error that says what and why."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from inference.errors import InputRefused, UnknownKind
from inference.images.container import Container
from inference.images.pixels import upright_square
from inference.kinds import Limits, get, names
from tests.inference.pictures import decode, encoded, gradient, jpeg_frame, png_chunk, png_claiming, png_header

JPEG = encoded(gradient(), "JPEG")
PNG = encoded(gradient(), "PNG")
WEBP = encoded(gradient(), "WEBP")


def many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated two hundred times."""
    data = encoded(gradient(), "JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    return data[:-2] + data[last:-2] * 200 + data[-2:]


def claiming_jpeg(width: int, height: int) -> bytes:
    """The JPEG file with another size in its frame header."""
    at = JPEG.find(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", height, width) + JPEG[at + 9 :]


def damaged_png() -> bytes:
    at = PNG.find(b"IDAT") + 10
    return PNG[:at] + bytes([PNG[at] ^ 1]) + PNG[at + 1 :]


def garbage_png() -> bytes:
    """Every checksum holds, but the picture's data is no zlib stream."""
    header = struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", b"nonsense"), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


CASES = {
    "nothing": (b"", "empty", "0 bytes"),
    "text called .jpg": (b"I am not a photo, whatever my name is.", "not-an-image", "JPEG, PNG and WebP"),
    "one byte": (b"\xff", "not-an-image", "ff"),
    "GIF": (encoded(gradient(), "GIF"), "image-format", "GIF"),
    "TIFF": (encoded(gradient(), "TIFF"), "image-format", "TIFF"),
    "BMP": (encoded(gradient(), "BMP"), "image-format", "BMP"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "image-format", "HEIC"),
    "JPEG half": (JPEG[: len(JPEG) // 2], "image-truncated", "bytes"),
    "JPEG without its last byte": (JPEG[:-1], "image-truncated", "bytes"),
    "PNG half": (PNG[: len(PNG) // 2], "image-truncated", "bytes"),
    "PNG without its last byte": (PNG[:-1], "image-truncated", "bytes"),
    "WebP half": (WEBP[: len(WEBP) // 2], "image-truncated", "bytes"),
    "PNG with a wrong checksum": (damaged_png(), "image-corrupt", "checksum"),
    "PNG of garbage": (garbage_png(), "image-corrupt", "image/png"),
    # The header that was judged must be the one that the decoder goes by: these say another size further on.
    "PNG with a second header": (PNG[:33] + png_header(11_000, 11_000) + PNG[33:], "image-corrupt", "second header"),
    "PNG with a second header at its end": (PNG[:-12] + png_header(64, 48) + PNG[-12:], "image-corrupt", "second header"),
    "JPEG with a second frame after its scan": (JPEG[:-2] + jpeg_frame(64, 64) + JPEG[-2:], "image-corrupt", "second frame"),
    "JPEG with two frames before its scan": (JPEG[:2] + jpeg_frame(64, 48) + JPEG[2:], "image-corrupt", "second frame"),
    "JPEG with a frame behind no marker": (
        JPEG[:2] + b"\xff\0\0\x0f" + jpeg_frame(9_000, 9_000) + JPEG[2:],
        "image-corrupt",
        "00",
    ),
    "JPEG with a reserved marker": (JPEG[:2] + b"\xff\x02\0\x0f" + jpeg_frame(9_000, 9_000) + JPEG[2:], "image-corrupt", "02"),
    "JPEG without a picture": (JPEG[:2] + b"\xff\xd9", "image-corrupt", "frame"),
    "JPEG of too many scans": (many_scans(), "image-too-costly", "scans"),
    "PNG bomb": (png_claiming(100_000, 100_000), "image-dimensions", "100,000"),
    "PNG bomb within the side": (png_claiming(3_999, 3_999), "image-dimensions", "15,992,001"),
    "JPEG of absurd size": (claiming_jpeg(65_000, 65_000), "image-dimensions", "65,000"),
    "PNG of no height": (png_claiming(40, 0), "image-too-small", "40 x 0"),
    "too small": (encoded(gradient(7, 40), "PNG"), "image-too-small", "7 x 40"),
    "WebP too large": (encoded(Image.new("RGB", (4_001, 9)), "WEBP"), "image-dimensions", "4,001"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_with_what_and_why(name):
    data, code, said = CASES[name]
    with pytest.raises(InputRefused) as refusal:
        decode(data)
    assert refusal.value.code == code
    assert said in refusal.value.detail
    assert refusal.value.title


def test_too_many_bytes_are_refused_with_both_figures():
    with pytest.raises(InputRefused) as refusal:
        decode(JPEG, Limits(max_bytes=100))
    assert refusal.value.code == "image-too-large"
    assert f"{len(JPEG):,} bytes" in refusal.value.detail
    assert "100" in refusal.value.detail


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_file_cut_at_any_byte_is_refused(form):
    options = {"progressive": True} if form == "JPEG" else {}
    data = encoded(gradient(24, 16), form, **options)
    for length in range(len(data)):
        with pytest.raises(InputRefused):
            decode(data[:length])


def test_the_size_is_judged_before_any_pixel_is_decoded(monkeypatch):
    def spent(*_):
        raise AssertionError("memory was spent on pixels")

    monkeypatch.setattr("inference.kinds.inspection.upright_square", spent)
    with pytest.raises(InputRefused, match="too large"):
        decode(png_claiming(100_000, 100_000))


@pytest.mark.parametrize(("form", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_decoder_that_reads_another_size_than_was_judged_is_not_let_loose(form, media_type, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("memory was spent on pixels"))
    with pytest.raises(InputRefused, match="64 x 48 to its decoder and says 64 x 64"):
        upright_square(Container(media_type, 64, 64, 1, encoded(gradient(), form)), 224)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width: int, height: int, flags: int = 0) -> bytes:
    """The chunk that says how large an extended WebP file is."""
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<IBxxx", 10, flags) + sizes


def animated(frame: bytes, width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"ANIM" + struct.pack("<I6x", 6) + b"ANMF" + struct.pack("<I6x", 16 + len(frame)) + sizes + bytes(4) + frame


@pytest.mark.parametrize(
    "data",
    [
        riff(canvas(16, 16), WEBP[12:]),
        riff(canvas(16, 16), canvas(64, 48), WEBP[12:]),
        riff(canvas(16, 16, 2), animated(WEBP[12:], 64, 48)),
        riff(canvas(16, 16, 2), animated(WEBP[12:], 16, 16)),
    ],
    ids=["a still picture", "a second canvas", "a frame", "a frame that says less"],
)
def test_a_webp_larger_than_its_canvas_is_refused(data):
    with pytest.raises(InputRefused) as refusal:
        decode(data)
    assert refusal.value.code == "image-corrupt"


def test_a_decoder_that_fails_in_any_known_way_is_a_refusal(monkeypatch):
    def fail(self):
        raise KeyError("a table that is not there")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(InputRefused) as refusal:
        decode(PNG)
    assert refusal.value.code == "image-corrupt"


def test_an_unknown_kind_lists_those_there_are():
    with pytest.raises(UnknownKind, match="inspection"):
        get("telepathy")
    assert names() == ["inspection"]


def test_a_sound_file_is_not_refused():
    assert decode(JPEG).media_type == "image/jpeg"
    assert Image.open(io.BytesIO(JPEG)).size == (64, 48)
