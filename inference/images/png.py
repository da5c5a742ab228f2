"""Walk the chunks of a PNG file (ISO/IEC 15948): its size, its orientation, and that every chunk is whole."""

from __future__ import annotations

import zlib

from inference.images.container import Container, corrupt, truncated
from inference.images.exif import UPRIGHT, orientation

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# All that the default picture is made of. Animation, text (which may be a bomb of its own) and times are left out.
NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})


def walk(data: bytes) -> Container:
    """Return what the chunks of `data` tell. Raises `InputRefused`."""
    size: tuple[int, int] | None = None
    turned, kept, at, name = UPRIGHT, [SIGNATURE], len(SIGNATURE), b""
    while name != b"IEND":
        name, body, end = _chunk(data, at)
        # Decoders go by the last header, so that a second one would say another size than the one that was judged.
        if name == b"IHDR" and size is not None:
            raise corrupt("This PNG file has a second header.")
        if name == b"IHDR" and len(body) == 13:
            size = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        elif name == b"eXIf":
            turned = orientation(body)
        elif size is None:
            raise corrupt("This PNG file does not begin with its header.")
        if name in NEEDED:
            kept.append(data[at:end])
        at = end
    if size is None:
        raise corrupt("This PNG file has no header.")
    return Container("image/png", *size, turned, b"".join(kept))


def _chunk(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Return the name and body of the chunk at `at`, and where it ends; its checksum must hold."""
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    if at + 12 > len(data) or end > len(data):
        raise truncated(f"This PNG file ends after {len(data)} bytes, before its last chunk is whole.")
    name = data[at + 4 : at + 8]
    if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        raise corrupt(f"The checksum of the chunk at byte {at} of this PNG file is wrong.")
    return name, data[at + 8 : end - 4], end
