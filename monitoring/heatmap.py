"""A heatmap as a small picture that the browser lays over the photo. Pure."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

# One colour, more of it where a defect is likelier: a scale that reads the same on light and dark photos.
COLOUR = (255, 96, 0)
# Cells below this are left clear, else the whole photo is tinted.
CLEAR_BELOW = 13
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def data_uri(rows: int, columns: int, values: bytes) -> str:
    """Return a PNG of `rows` x `columns` pixels whose opacity follows `values`, one byte a cell. "" for a map that is none."""
    if not rows or not columns or len(values) != rows * columns:
        return ""
    lines = b"".join(
        b"\x00" + b"".join(_pixel(value) for value in values[row * columns : (row + 1) * columns]) for row in range(rows)
    )
    # 8 bits a channel, colour with opacity (RFC 2083, section 4.1.1).
    header = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    png = SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines)) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + b64encode(png).decode()


def _pixel(value: int) -> bytes:
    return bytes((*COLOUR, 0 if value < CLEAR_BELOW else round(value * 0.8)))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
