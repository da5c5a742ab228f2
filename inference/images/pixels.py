"""Decode a file whose outside is sound into one small upright RGB square."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from inference.images.container import Container, corrupt

# What Pillow's decoders are known to raise on hostile bytes.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
# Named by class, and not found by `Image.open`, which measures against a process-wide limit and warns process-wide.
READERS: dict[str, type[ImageFile.ImageFile]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/webp": WebPImageFile,
}
# EXIF orientation to what turns the stored picture upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_square(container: Container, side: int) -> npt.NDArray[np.uint8]:
    """Return the picture as uint8 [side, side, 3]: stretched to the square, upright, RGB, on black where it is transparent.

    Only the first frame of an animation is used. Raises `InputRefused`.
    """
    try:
        with READERS[container.media_type](io.BytesIO(container.plain)) as image:
            # Twice the size wanted: JPEG is scaled by its decoder, which saves most of the work, and resizing smooths the rest.
            image.draft(image.mode, (2 * side, 2 * side))
            image.load()
            return _square(image, side, container.orientation)
    except DECODER_ERRORS as error:
        raise corrupt(f"It can't be decoded as {container.media_type}: {error or type(error).__name__}.") from error


def _square(image: Image.Image, side: int, orientation: int) -> npt.NDArray[np.uint8]:
    small = _rgb(image).resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    turn = TURNS.get(orientation)
    return np.array(small if turn is None else small.transpose(turn))


def _rgb(image: Image.Image) -> Image.Image:
    """Return the picture in three bytes a pixel. Sixteen bits are scaled to eight, not clipped."""
    if image.mode.startswith("I"):
        wide = np.asarray(image, dtype=np.float32)
        return Image.fromarray((np.clip(wide, 0, 65535) / 257).round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        black = Image.new("RGBA", clear.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, clear).convert("RGB")
    return image.convert("RGB")
