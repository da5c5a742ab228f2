"""What the darkened camera sees: rendered phones or a folder's tiles, in the station's light or in the dark. Pure."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from monitoring.demo.phones import Shift, plan, render
from review.importing import Labelled

STREAM_DEFECTS = 0.2
PHONE_SIZE = (480, 360)
DARK_PHONES, DARK_TILES = 0.3, 0.35


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo that the camera sends, and the truth about it."""

    jpeg: bytes
    truth: str


# The n-th photo of the stream, in the dark or not. It runs in another process.
Take = Callable[[int, bool], Shot]


class Phones:
    """The demo's phones: every number another phone."""

    def __call__(self, number: int, dark: bool, defects: float = STREAM_DEFECTS) -> Shot:
        """Return the photo of one phone."""
        truth, _ = plan(number, defects)
        shift = Shift(darker=DARK_PHONES) if dark else Shift()
        phone = render(number, truth=truth, shift=shift, width=PHONE_SIZE[0], height=PHONE_SIZE[1])
        return Shot(phone.jpeg, phone.truth)


@dataclass(frozen=True)
class Tiles:
    """The half of a folder's tiles that no model has seen; each number draws one of its photos, moved a little."""

    photos: tuple[Labelled, ...]

    def __call__(self, number: int, dark: bool) -> Shot:
        """Return one photo: up to 2 % of its sides cut off, its light changed by some 1 %, in the dark multiplied."""
        rng = np.random.default_rng([17, number])
        photo = self.photos[int(rng.integers(len(self.photos)))]
        with Image.open(photo.path) as opened:
            width, height = opened.size
            left, top, right, bottom = rng.uniform(0, 0.02, 4) * (width, height, width, height)
            moved = opened.convert("RGB").crop((int(left), int(top), width - int(right), height - int(bottom)))
        light = float(rng.normal(1.0, 0.01)) * (DARK_TILES if dark else 1.0)
        sheet = io.BytesIO()
        moved.point(lambda value: value * light).save(sheet, "JPEG", quality=92)
        return Shot(sheet.getvalue(), photo.answer)
