"""What a kind of input has to be able to do. A new kind is a new file beside this one and a row in the table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from inference.examples import Example, Progress, Trained

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest medium taken: bytes of the file, pixels of the longer side, and pixels altogether."""

    max_bytes: int = 20 * 1024 * 1024
    max_side: int = 12_000
    max_pixels: int = 60_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One medium, ready for a model.

    `pixels` is uint8, height x width x 3, upright RGB at the models' working size. `media_type` is what the bytes are,
    whatever the caller called them. `width` and `height` are those of the upright picture at full size. `stats` holds
    brightness, contrast and sharpness, which drift is watched by.
    """

    pixels: Pixels
    media_type: str
    width: int
    height: int
    stats: dict[str, float]


class Kind(ABC):
    """A type of input and of answer."""

    name: ClassVar[str]
    title: ClassVar[str]
    media_types: ClassVar[tuple[str, ...]]
    # Names of the runtimes that can run what `train` makes.
    runtimes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def decode(self, data: bytes, *, limits: Limits) -> Decoded:
        """Return the medium in `data`. Raises `InputRefused`, and nothing else, where it can't be taken."""

    @abstractmethod
    def train(
        self, examples: Sequence[Example], classes: Sequence[str], *, seed: int, progress: Progress, limits: Limits
    ) -> Trained:
        """Fit a model to the train split, calibrate it on the validation split and store its weights.

        The first of `classes` is the negative. Raises `NotEnoughLabels`.
        """
