"""Tell what bytes are by how they begin, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable

from inference.errors import InputRefused
from inference.images import jpeg, png, webp
from inference.images.container import Container

# Formats that are images but not taken, so that the refusal can name them.
OTHERS = (
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"\0\0\1\0", "ICO"),
)
BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF"}
TAKEN = "JPEG, PNG and WebP are taken"


def walker(data: bytes) -> Callable[[bytes], Container]:
    """Return the function that walks this format. Raises `InputRefused` where there is none."""
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg.walk
    if data.startswith(png.SIGNATURE):
        return png.walk
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp.walk
    raise _refused(data)


def _refused(data: bytes) -> InputRefused:
    other = next((name for start, name in OTHERS if data.startswith(start)), None)
    if data[4:8] == b"ftyp":
        other = BRANDS.get(data[8:12])
    if other:
        return InputRefused("image-format", "This image format is not taken", f"These bytes are {other}; {TAKEN}.")
    begin = data[:8].hex(" ")
    return InputRefused("not-an-image", "This is not an image", f"It begins with the bytes {begin}; {TAKEN}.")
