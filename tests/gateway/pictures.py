"""Photos, good and bad, as a camera might send them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def plain(width: int = 48, height: int = 32) -> Image.Image:
    """A grey picture with a bright corner."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    pixels[: height // 4, : width // 4] = 250
    return Image.fromarray(pixels)


def cmyk() -> bytes:
    """A JPEG in four inks."""
    return encoded(plain().convert("CMYK"), "JPEG")


def sixteen_bit() -> bytes:
    """A grey PNG of sixteen bits a pixel."""
    values = np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16)
    return encoded(Image.fromarray(values), "PNG")


def animated() -> bytes:
    """A WebP of two frames."""
    return encoded(plain(), "WEBP", save_all=True, append_images=[plain().rotate(180)], duration=100)


def transparent() -> bytes:
    """A PNG that is half see-through."""
    image = plain().convert("RGBA")
    image.putalpha(128)
    return encoded(image, "PNG")


def lying() -> bytes:
    """A JPEG that EXIF says to turn by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(plain(), "JPEG", exif=exif)


def with_broken_exif() -> bytes:
    """A sound JPEG whose EXIF block is damaged behind a good beginning."""
    block = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff\xff\xff\xff\x06" + b"\xfe" * 40
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    data = encoded(plain(), "JPEG")
    return data[:2] + segment + data[2:]


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_text_bomb() -> bytes:
    """A sound PNG whose comment unpacks to far more than it is."""
    data = encoded(plain(), "PNG")
    return data[:33] + png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(8_000_000))) + data[33:]


def bomb(side: int = 30_000) -> bytes:
    """A small PNG whose header claims, and whose data holds, a huge picture of one colour."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    rows = png_chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + header + rows + png_chunk(b"IEND", b"")
