"""Pictures made in memory, for the tests of this folder."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from inference.kinds import Limits, get

LIMITS = Limits(max_bytes=2_000_000, max_side=4_000, max_pixels=4_000_000)


def gradient(width: int = 64, height: int = 48) -> Image.Image:
    """A picture whose four corners differ: dark top left, red to the right, green to the bottom."""
    down, across = np.mgrid[0:height, 0:width]
    pixels = np.stack([across * 255 // (width - 1), down * 255 // (height - 1), np.full_like(down, 40)], axis=2)
    return Image.fromarray(pixels.astype(np.uint8))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG file whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(64))
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", body), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_header(width: int, height: int) -> bytes:
    """The header chunk of a PNG file in RGB."""
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def jpeg_frame(width: int, height: int) -> bytes:
    """The frame segment of a grey JPEG file."""
    return b"\xff\xc0" + struct.pack(">HBHHBBBB", 11, 8, height, width, 1, 1, 0x11, 0)


def decode(data: bytes, limits: Limits = LIMITS):
    """Decode as the door does."""
    return get("inspection").decode(data, limits=limits)
