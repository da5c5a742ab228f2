"""The bench under the fixed camera: a dark rubber mat with printed corners and a grey scale, and the phone's shadow."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from monitoring.demo._arrays import Array, at, linear
from monitoring.demo._canvas import grid, rounded
from monitoring.demo._look import Look, Pose
from monitoring.demo._tiles import enlarge, fractal

COARSE = 4  # the shadow is soft, so it is worked out on a grid this much coarser


@lru_cache(maxsize=4)
def bench(width: int, height: int) -> Array:
    """Return the empty station, linear light (3, height, width)."""
    rng = np.random.default_rng(80)
    mat = 1.0 + 0.05 * fractal(1, width, height, 3, 4) + 0.05 * fractal(2, width, height, 90, 3)
    mat += 0.06 * rng.standard_normal((height, width), np.float32)
    light = at(linear("#3d4146")) * np.maximum(mat, 0.3)
    print_cover, print_tone = _prints(width, height)
    light += (print_tone - light) * print_cover
    return light.astype(np.float32)


def _prints(width: int, height: int) -> tuple[Array, Array]:
    """Return cover and tone of what is printed on the mat, drawn at twice the size so that its edges are soft."""
    cover, tone = (Image.new("L", (width * 2, height * 2)) for _ in range(2))
    pen, ink = ImageDraw.Draw(cover), ImageDraw.Draw(tone)
    unit = min(width / 960, height / 720) * 2
    for x, way_x in ((34 * unit, 1), (width * 2 - 34 * unit, -1)):
        for y, way_y in ((34 * unit, 1), (height * 2 - 34 * unit, -1)):
            pen.line([(x + way_x * 34 * unit, y), (x, y), (x, y + way_y * 34 * unit)], fill=120, width=round(2.2 * unit))
    ink.rectangle((0, 0, width * 2, height * 2), fill=95)
    for step, grey in enumerate((30, 60, 92, 126, 164, 208)):
        left, top = width + (step - 3) * 27 * unit, height * 2 - 40 * unit
        box = (left, top, left + 23 * unit, top + 15 * unit)
        pen.rectangle(box, fill=235)
        ink.rectangle(box, fill=grey)
    return _shares(cover), _shares(tone)


def _shares(sheet: Image.Image) -> Array:
    return np.asarray(sheet.reduce(2), np.float32) / 255.0


def shadow(look: Look, width: int, height: int) -> Array:
    """Return the share of light (height, width) that reaches the bench: a wide soft shadow and a tight dark one."""
    pose, model = look.pose, look.model
    thrown = Pose(pose.x + 2.2 * pose.scale, pose.y + 2.8 * pose.scale, pose.turn, pose.scale)
    rows, columns = slice(0, -(-height // COARSE)), slice(0, -(-width // COARSE))
    wide, tight = (
        rounded(*grid(p, rows, columns, COARSE), model.length / 2, model.width / 2, model.corner) for p in (thrown, pose)
    )
    left = 1.0 - 0.5 * np.exp(-np.maximum(wide, 0.0) / 6.5) - 0.3 * np.exp(-np.maximum(tight, 0.0) / 1.6)
    return enlarge(left, columns.stop * COARSE, rows.stop * COARSE)[:height, :width]
