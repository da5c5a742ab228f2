"""Walk the chunks of a WebP file (RFC 9649): its size, its orientation, and that it is all there."""

from __future__ import annotations

from inference.images.container import Container, corrupt, truncated
from inference.images.exif import UPRIGHT, orientation


def walk(data: bytes) -> Container:
    """Return what the chunks of `data` tell. Raises `InputRefused`."""
    whole = 8 + int.from_bytes(data[4:8], "little")
    if len(data) < max(whole, 20):
        raise truncated(f"This WebP file ends after {len(data)} of {whole} bytes.")
    size: tuple[int, int] | None = None
    turned, at = UPRIGHT, 12
    while at + 8 <= whole:
        name, begin = data[at : at + 4], at + 8
        body_end = begin + int.from_bytes(data[at + 4 : begin], "little")
        if body_end > whole:
            raise corrupt(f"The chunk at byte {at} of this WebP file is longer than the file.")
        if size is None:
            size = _size(name, data[begin : min(body_end, begin + 16)])
        if name == b"EXIF":
            turned = orientation(data[begin:body_end].removeprefix(b"Exif\0\0"))
        at = body_end + body_end % 2
    if size is None:
        raise corrupt("This WebP file does not begin with a picture.")
    return Container("image/webp", *size, turned, data[:whole])


def _size(name: bytes, body: bytes) -> tuple[int, int]:
    """Return width and height from the first chunk: lossy, lossless or extended."""
    if name == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        return _low14(body[6:8]), _low14(body[8:10])
    if name == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if name == b"VP8X" and len(body) >= 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    raise corrupt("The first chunk of this WebP file is not a picture.")


def _low14(pair: bytes) -> int:
    """The upper two bits scale the picture on screens of long ago."""
    return int.from_bytes(pair, "little") & 0x3FFF
