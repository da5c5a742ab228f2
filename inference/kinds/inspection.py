"""Image inspection: one photo, one class, and the places that speak for it."""

from __future__ import annotations

from collections.abc import Sequence

from inference.errors import InputRefused
from inference.examples import Example, Progress, Trained
from inference.images.container import Container
from inference.images.pixels import upright_square
from inference.images.sniff import walker
from inference.images.stats import light_and_focus
from inference.kinds.base import Decoded, Kind, Limits, Pixels

# The side of the square that models see. A photo is stretched to it, so that a region's shares hold for the full picture.
SIDE = 224
LEAST_SIDE = 8


class Inspection(Kind):
    """JPEG, PNG and WebP photos, seen by a dense network."""

    name = "inspection"
    title = "Image inspection"
    media_types = ("image/jpeg", "image/png", "image/webp")
    runtimes = ("onnxruntime", "torch")

    def decode(self, data: bytes, *, limits: Limits) -> Decoded:
        """Return the first frame of the photo in `data`, upright. Raises `InputRefused`."""
        _check_bytes(data, limits)
        container = walker(data)(data)
        _check_size(container, limits)
        pixels = upright_square(container, SIDE)
        width, height = container.width, container.height
        if container.lying:
            width, height = height, width
        return Decoded(pixels, container.media_type, width, height, light_and_focus(pixels))

    def train(
        self, examples: Sequence[Example], classes: Sequence[str], *, seed: int, progress: Progress, limits: Limits
    ) -> Trained:
        """Train a dense head. Raises `NotEnoughLabels`, and `InputRefused` for an example that can't be read."""

        from inference.vision.fit import train  # PyTorch: `tests/test_imports.py` says who may load it, and when

        def read(data: bytes) -> Pixels:
            return self.decode(data, limits=limits).pixels

        return train(self.name, examples, classes, seed=seed, progress=progress, read=read)


def _check_bytes(data: bytes, limits: Limits) -> None:
    if not data:
        raise InputRefused("empty", "There is nothing in it", "The body has 0 bytes.")
    if len(data) > limits.max_bytes:
        detail = f"It has {len(data):,} bytes; at most {limits.max_bytes:,} are taken."
        raise InputRefused("image-too-large", "The image is too large", detail)


def _check_size(container: Container, limits: Limits) -> None:
    """Judge the size that the header claims, before memory is spent on it."""
    width, height = container.width, container.height
    said = f"Its header says {width:,} x {height:,} pixels"
    if min(width, height) < LEAST_SIDE:
        raise InputRefused("image-too-small", "The image is too small", f"{said}; a side has at least {LEAST_SIDE}.")
    if max(width, height) > limits.max_side:
        raise InputRefused("image-dimensions", "The image is too large", f"{said}; a side has at most {limits.max_side:,}.")
    if width * height > limits.max_pixels:
        detail = f"{said}, which is {width * height:,}; at most {limits.max_pixels:,} are taken."
        raise InputRefused("image-dimensions", "The image is too large", detail)
