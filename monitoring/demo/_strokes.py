"""Fine lines with soft edges, drawn by Pillow at four times the size of their own small window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from monitoring.demo._arrays import Array
from monitoring.demo._canvas import Window

FINE = 4

Stroke: TypeAlias = tuple[Array, Array, Array]  # points (n, 2) in pixels, widths (n) in pixels, strengths (n) 0..1
Polygon: TypeAlias = tuple[Sequence[tuple[float, float]], float]  # corners in pixels, strength 0..1


def curve(rng: np.random.Generator, middle: tuple[float, float], length: float, turn: float, bend: float) -> Array:
    """Return about 40 points (n, 2) of a gently wavering arc around a pixel: `length` in pixels, `bend` in radians."""
    steps = 40
    wander = np.cumsum(rng.normal(0.0, 0.02, steps))
    heading = turn + bend * (np.linspace(-0.5, 0.5, steps) + 0.25 * wander)
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0) * (length / steps)
    return np.asarray(path - path[steps // 2] + np.asarray(middle), np.float64)


def draw_strokes(window: Window, strokes: Iterable[Stroke]) -> Array:
    """Return the cover (rows, columns), 0..1, of lines whose width and strength vary along the way."""
    sheet, pen = _sheet(window)
    for points, widths, strengths in strokes:
        local = (points - (window.columns.start - 0.5, window.rows.start - 0.5)) * FINE
        for start, end, width, strength in zip(local[:-1], local[1:], widths, strengths, strict=False):
            pen.line([*start, *end], fill=round(255 * strength), width=max(1, round(width * FINE)))
    return _shrunk(sheet)


def draw_polygons(window: Window, polygons: Iterable[Polygon]) -> Array:
    """Return the cover (rows, columns), 0..1, of filled polygons, later ones over earlier ones."""
    sheet, pen = _sheet(window)
    origin = np.array((window.columns.start - 0.5, window.rows.start - 0.5))
    for corners, strength in polygons:
        local = (np.asarray(corners) - origin) * FINE
        pen.polygon([(float(x), float(y)) for x, y in local], fill=round(255 * strength))
    return _shrunk(sheet)


def _sheet(window: Window) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    rows, columns = window.u.shape
    sheet = Image.new("L", (columns * FINE, rows * FINE))
    return sheet, ImageDraw.Draw(sheet)


def _shrunk(sheet: Image.Image) -> Array:
    return np.asarray(sheet.reduce(FINE), np.float32) / 255.0
