"""The one thing needed from EXIF: which way is up. Read here, as Pillow's reader warns about harmless damage process-wide."""

from __future__ import annotations

import struct

ORIENTATION = 0x0112
UPRIGHT = 1


def orientation(block: bytes) -> int:
    """Return the orientation, 1 to 8, from a TIFF block as EXIF has it; 1 where there is none or the block is damaged.

    A damaged block never costs the picture: cameras and editors write many, and the pixels are sound.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, start + 2 + 12 * index)
            if tag == ORIENTATION:
                return value if kind == 3 and 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass  # the block ends before its own directory does
    return UPRIGHT
