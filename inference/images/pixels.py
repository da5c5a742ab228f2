"""Decode a file whose outside is sound into one small upright RGB picture."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from inference.images import jpeg_pixels
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
# Photos of more pixels than this are decoded two at a time, as decoders need 4 bytes a pixel, and that of WebP 16.
LARGE_PIXELS = 16_000_000
LARGE_AT_ONCE = 2
_large = threading.BoundedSemaphore(LARGE_AT_ONCE)
# Colours are converted so many pixels at a time: a float copy of a whole large photo would take as much as decoding it.
BAND_PIXELS = 1_000_000


def upright_square(container: Container, side: int) -> npt.NDArray[np.uint8]:
    """Return the picture as uint8 [side, side, 3]: stretched to the square, upright, RGB, on black where it is transparent.

    Only the first frame of an animation is used. Raises `InputRefused`.
    """
    if container.media_type == "image/jpeg":
        with _place_for(container):
            small = jpeg_pixels.decode(container, side)
        if small is not None:
            turn = TURNS.get(container.orientation)
            return small if turn is None else np.array(Image.fromarray(small).transpose(turn))
    return np.array(_upright(container, (side, side)))


def upright_within(container: Container, width: int, height: int) -> Image.Image:
    """Return the picture like `upright_square`, but in its own shape: no larger than this, and never enlarged."""
    if container.lying:
        width, height = height, width
    scale = min(1.0, width / container.width, height / container.height)
    size = max(1, round(container.width * scale)), max(1, round(container.height * scale))
    return _upright(container, size)


def _upright(container: Container, size: tuple[int, int]) -> Image.Image:
    """Return the picture in RGB, `size` before it is turned upright."""
    with _place_for(container):
        try:
            with READERS[container.media_type](io.BytesIO(container.plain)) as image:
                small = _shrunk(_loaded(image, container, size), size)
        except DECODER_ERRORS as error:
            raise corrupt(f"It can't be decoded as {container.media_type}: {error or type(error).__name__}.") from error
    turn = TURNS.get(container.orientation)
    return small if turn is None else small.transpose(turn)


def _place_for(container: Container) -> AbstractContextManager[object]:
    return _large if container.width * container.height > LARGE_PIXELS else nullcontext()


def _loaded(image: ImageFile.ImageFile, container: Container, size: tuple[int, int]) -> Image.Image:
    if image.size != (container.width, container.height):
        # Its size was judged by what the walker read; a decoder that reads another has not been judged.
        raise corrupt(f"It is {image.width} x {image.height} to its decoder and says {container.width} x {container.height}.")
    # Twice the size wanted: JPEG is scaled by its decoder, which saves most of the work, and resizing smooths the rest.
    image.draft(image.mode, (2 * size[0], 2 * size[1]))
    image.load()
    return image


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture in RGB and `size`: averaged in whole steps to no less than twice of it, then resized."""
    across, down = (max(1, full // (2 * wanted)) for full, wanted in zip(image.size, size, strict=True))
    small = Image.new("RGB", (-(-image.width // across), -(-image.height // down)))
    rows = down * max(1, BAND_PIXELS // (image.width * down))
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(_rgb(band).reduce((across, down)), (0, top // down))
    # The last column and row may average over less than a step, and count for as much.
    return small.resize(size, Image.Resampling.BILINEAR, box=(0, 0, image.width / across, image.height / down))


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
