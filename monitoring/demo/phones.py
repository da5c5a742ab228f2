"""The demo's camera: photos of phones at an inspection station, each with its truth. Pure: a seed gives a photo.

The station exists so that a newcomer sees the gateway at work within a minute, and so that a model has something
honest to learn: good phones carry dust and fingerprints, and some defects can hardly be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.demo._arrays import Stream, stream
from monitoring.demo._back import draw_back
from monitoring.demo._bench import bench, shadow
from monitoring.demo._body import draw_body
from monitoring.demo._camera import Shift, photograph
from monitoring.demo._canvas import Canvas
from monitoring.demo._defects import DEFECTS, Box, draw_defect
from monitoring.demo._dirt import draw_dirt
from monitoring.demo._front import draw_front
from monitoring.demo._look import look, serial

__all__ = ["CLASSES", "Phone", "Shift", "draw", "plan", "render"]

CLASSES = ("ok", *DEFECTS)
SHARES = {"scratch": 0.30, "crack": 0.25, "dent": 0.22, "stain": 0.23}
NONE = Shift()


@dataclass(frozen=True)
class Phone:
    """One photographed phone and the truth about it; boxes are (x, y, width, height), each 0..1 of the photo."""

    jpeg: bytes
    truth: str
    visibility: float
    boxes: tuple[Box, ...]
    serial: str
    model: str
    colour: str


def plan(seed: int, defect_rate: float) -> tuple[str, float]:
    """Return truth and visibility of a seed without drawing it. Raises ValueError for a rate outside 0..1."""
    if not 0.0 <= defect_rate <= 1.0:
        raise ValueError(f"defect_rate must be between 0 and 1, not {defect_rate}")
    rng = stream(seed, Stream.PLAN)
    defective, kind = rng.random() < defect_rate, rng.random()
    if not defective:
        return "ok", 0.0
    names = list(SHARES)
    return names[int(np.searchsorted(np.cumsum(list(SHARES.values()))[:-1], kind, side="right"))], visibility_of(seed)


def visibility_of(seed: int) -> float:
    """Return how well a defect of this seed would show: mostly well, one in ten hardly (0.04..1)."""
    rng = np.random.default_rng([seed, int(Stream.PLAN), 1])
    return round(float(0.04 + 0.96 * rng.beta(2.1, 1.1)), 3)


def render(
    seed: int, *, truth: str, shift: Shift = NONE, width: int = 960, height: int = 720, visibility: float | None = None
) -> Phone:
    """Return the photo of a seed's phone with that truth; the same seed with "ok" is the same phone without the defect.

    `visibility` (0..1) is the seed's own unless given. Raises ValueError for either out of its range.
    """
    if truth not in CLASSES:
        raise ValueError(f"truth must be one of {', '.join(CLASSES)}, not {truth!r}")
    seen = 0.0 if truth == "ok" else visibility_of(seed) if visibility is None else visibility
    if not 0.0 <= seen <= 1.0:
        raise ValueError(f"visibility must be between 0 and 1, not {seen}")
    phone = look(seed, width, height)
    canvas = Canvas(bench(width, height) * shadow(phone, width, height), phone.pose)
    body = draw_body(canvas, phone)
    (draw_front if phone.front else draw_back)(canvas, phone, body)
    draw_dirt(canvas, phone, body, stream(seed, Stream.DIRT))
    boxes = () if truth == "ok" else draw_defect(canvas, phone, truth, seen, stream(seed, Stream.DEFECT))
    jpeg = photograph(canvas.light, shift, stream(seed, Stream.CAMERA))
    return Phone(jpeg, truth, seen, boxes, serial(seed, phone.model), phone.model.name, phone.finish.name)


def draw(seed: int, defect_rate: float, shift: Shift = NONE) -> Phone:
    """Return the photo of the next phone from a production that breaks `defect_rate` of its phones."""
    truth, _ = plan(seed, defect_rate)
    return render(seed, truth=truth, shift=shift)
