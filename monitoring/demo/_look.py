"""What a seed decides about a phone before any pixel exists: model, face, colour, pose and the lamps in the glass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.demo._arrays import Stream, stream
from monitoring.demo._models import MODELS, Finish, Model

PIXELS_PER_MM = 5.05  # at 960 x 720: the longest model fills the frame with a hand's breadth of bench around it


@dataclass(frozen=True)
class Pose:
    """Where the phone lies: centre in pixels, turn in radians, pixels per mm."""

    x: float
    y: float
    turn: float
    scale: float

    def pixel(self, u: float, v: float) -> tuple[float, float]:
        """Return the pixel (x, y) of a point of the phone (mm)."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return float(self.x + (u * cos - v * sin) * self.scale), float(self.y + (u * sin + v * cos) * self.scale)


@dataclass(frozen=True)
class Lamps:
    """The reflection of the two light bars: turn against the phone, place across the glass (mm) and strength."""

    turn: float
    place: float
    gap: float
    width: float
    strength: float


@dataclass(frozen=True)
class Look:
    """One phone, ready to be drawn."""

    model: Model
    finish: Finish
    front: bool
    pose: Pose
    lamps: Lamps


def look(seed: int, width: int, height: int) -> Look:
    """Return the phone of a seed in a photo of that size (pixels)."""
    rng = stream(seed, Stream.LOOK)
    model = MODELS[rng.integers(len(MODELS))]
    finish = model.finishes[rng.integers(len(model.finishes))]
    return Look(model, finish, bool(rng.random() < 0.5), _pose(rng, width, height), _lamps(rng))


def serial(seed: int, model: Model) -> str:
    """Return a serial number: distinct for distinct seeds below 2**35, and without an order that a reader could lean on."""
    scrambled = (seed * 22_695_477_131 + 7_919_771) % 2**35  # an odd factor permutes the numbers below a power of two
    letters = "0123456789ABCDEFGHJKLMNPQRSTVWXY"
    return f"{model.code}-" + "".join(letters[scrambled >> shift & 31] for shift in range(30, -5, -5))


def _pose(rng: np.random.Generator, width: int, height: int) -> Pose:
    scale = min(width / 960, height / 720)
    x = width / 2 + rng.normal(0.0, 7.0) * scale
    y = height / 2 - 6.0 * scale + rng.normal(0.0, 9.0) * scale
    return Pose(x, y, float(np.clip(rng.normal(0.0, 0.022), -0.06, 0.06)), PIXELS_PER_MM * scale * rng.normal(1.0, 0.006))


def _lamps(rng: np.random.Generator) -> Lamps:
    return Lamps(
        turn=rng.normal(0.62, 0.05),
        place=rng.normal(-22.0, 12.0),
        gap=rng.normal(38.0, 3.0),
        width=rng.uniform(8.0, 12.0),
        strength=rng.uniform(0.7, 1.15),
    )
