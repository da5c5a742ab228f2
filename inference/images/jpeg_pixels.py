"""Decode a JPEG to little more than the size wanted: libjpeg-turbo scales while it decodes, which saves most of the work."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from inference.images.container import Container, corrupt

# OpenCV would start threads of its own beside the server's.
cv2.setNumThreads(0)
Pixels = npt.NDArray[np.uint8]
# How colours may be coded here; the four inks of print are read by another decoder.
READ = frozenset({"YCbCr", "RGB", "Gray"})


def decode(container: Container, side: int) -> Pixels | None:
    """Return the picture as stored, stretched to uint8 [side, side, 3] in RGB; None where another decoder has to read it.

    Raises `InputRefused` where the decoder reads another size than the one that was judged.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(container.plain)
        if (width, height) != (container.width, container.height):
            raise corrupt(f"It is {width} x {height} to its decoder and says {container.width} x {container.height}.")
        if colours not in READ:
            return None
        # Fast variants of transform and colour, some levels of 255 off the exact ones: less than resizing changes.
        picture = simplejpeg.decode_jpeg(
            container.plain, fastdct=True, fastupsample=True, min_height=side, min_width=side, min_factor=1
        )
    except ValueError:
        # Damaged, or unusual and sound: the next decoder says which.
        return None
    return _stretched(picture, side)


def _stretched(picture: Pixels, side: int) -> Pixels:
    """Return the picture resized to [side, side, 3]: averaged where it shrinks further, as a linear one skips pixels."""
    height, width = picture.shape[:2]
    if max(height, width) >= 2 * side:
        picture = cv2.resize(picture, (min(width, side), min(height, side)), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
