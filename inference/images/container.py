"""What the outside of an image file tells before a single pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from inference.errors import InputRefused

# Orientations that swap width and height.
LYING = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Container:
    """A file whose outside is sound.

    `width` and `height` are as stored, before `orientation` (EXIF, 1 to 8) turns the picture upright. `plain` is the same
    picture without what decoding doesn't need: animation, comments, thumbnails, EXIF.
    """

    media_type: str
    width: int
    height: int
    orientation: int
    plain: bytes

    @property
    def lying(self) -> bool:
        """Whether turning it upright swaps width and height."""
        return self.orientation in LYING


def truncated(detail: str) -> InputRefused:
    """Return the refusal for a file that ends too early."""
    return InputRefused("image-truncated", "The image is cut off", detail)


def corrupt(detail: str) -> InputRefused:
    """Return the refusal for a file that contradicts its own format."""
    return InputRefused("image-corrupt", "The image is damaged", detail)
