"""The array type of the demo's camera, seeded streams, and the three small functions that every layer needs."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]


class Stream(IntEnum):
    """One stream of random numbers per concern, so that a defect never moves the phone it lies on."""

    PLAN = 1
    LOOK = 2
    DIRT = 3
    DEFECT = 4
    CAMERA = 5


def stream(seed: int, name: Stream) -> np.random.Generator:
    """Return the generator of one concern of one phone. Raises ValueError for a negative seed."""
    return np.random.default_rng([seed, int(name)])


def ramp(value: Array) -> Array:
    """Return smoothstep: 0 below 0, 1 above 1, no corner between, so that no edge looks cut with scissors."""
    clipped = np.clip(value, 0.0, 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def linear(hex_colour: str) -> Array:
    """Return linear light (3,) of an sRGB colour like "#2b2f36": light adds up in linear space only."""
    encoded = np.array([int(hex_colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def at(plane: Array) -> Array:
    """Return a colour (3,) shaped to broadcast over planes (3, rows, columns)."""
    return plane[:, None, None]
