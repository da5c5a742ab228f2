"""The sheet that all layers paint on: planes of linear light, windows that keep the work small, and distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.demo._arrays import Array, at
from monitoring.demo._look import Pose


@dataclass(frozen=True)
class Window:
    """A rectangle of the photo, with the phone's coordinates (mm) of each of its pixels."""

    rows: slice
    columns: slice
    u: Array
    v: Array


@dataclass(frozen=True)
class Canvas:
    """Linear light in planes (3, height, width): planes keep numpy's inner loops long, which is most of the speed."""

    light: Array
    pose: Pose

    def window(self, u: float, v: float, half_u: float, half_v: float) -> Window:
        """Return the upright window around a turned rectangle of the phone (mm), cut at the photo's border."""
        pose = self.pose
        x, y = pose.pixel(u, v)
        cos, sin = abs(np.cos(pose.turn)), abs(np.sin(pose.turn))
        reach_x, reach_y = (half_u * cos + half_v * sin) * pose.scale + 2, (half_u * sin + half_v * cos) * pose.scale + 2
        rows = _span(y, reach_y, self.light.shape[1])
        columns = _span(x, reach_x, self.light.shape[2])
        return Window(rows, columns, *grid(pose, rows, columns))

    def around(self, points: Array, margin: float) -> Window:
        """Return the window that holds pixels (n, 2) with a margin, cut at the photo's border."""
        low, high = points.min(axis=0), points.max(axis=0)
        middle, reach = (low + high) / 2, (high - low) / 2 + margin
        rows = _span(middle[1], reach[1], self.light.shape[1])
        columns = _span(middle[0], reach[0], self.light.shape[2])
        return Window(rows, columns, *grid(self.pose, rows, columns))

    def view(self, window: Window) -> Array:
        """Return the light under a window, (3, rows, columns), to be changed in place."""
        return self.light[:, window.rows, window.columns]

    def blend(self, window: Window, cover: Array, colour: Array) -> None:
        """Paint a colour (3,) or planes over a window, as far as `cover` (0..1) says."""
        view = self.view(window)
        view += ((at(colour) if colour.ndim == 1 else colour) - view) * cover


def _span(centre: float, reach: float, end: int) -> slice:
    return slice(int(np.clip(centre - reach, 0, end - 1)), int(np.clip(centre + reach + 1, 1, end)))


def grid(pose: Pose, rows: slice, columns: slice, step: float = 1.0) -> tuple[Array, Array]:
    """Return u and v (mm) of the pixels of a window; with a step above 1 each pixel stands for a block of that side."""
    x = ((np.arange(columns.start, columns.stop) + 0.5) * step - 0.5 - pose.x) / pose.scale
    y = ((np.arange(rows.start, rows.stop) + 0.5) * step - 0.5 - pose.y) / pose.scale
    cos, sin = np.cos(pose.turn), np.sin(pose.turn)
    u = (x * cos).astype(np.float32)[None, :] + (y * sin).astype(np.float32)[:, None]
    v = (-x * sin).astype(np.float32)[None, :] + (y * cos).astype(np.float32)[:, None]
    return u, v


def rounded(u: Array, v: Array, half_u: float, half_v: float, radius: float) -> Array:
    """Return the signed distance (mm) to a rounded rectangle around 0, negative inside (Quilez, "2D distance functions")."""
    over_u, over_v = np.abs(u) - (half_u - radius), np.abs(v) - (half_v - radius)
    inside = np.minimum(np.maximum(over_u, over_v), 0.0)
    distance: Array = np.hypot(np.maximum(over_u, 0.0), np.maximum(over_v, 0.0)) + inside - radius
    return distance


def cover(distance: Array, scale: float, softness: float = 1.25) -> Array:
    """Return how much of each pixel a shape covers; `softness` (pixels) is the lens's own blur."""
    covered: Array = np.clip(0.5 - distance * (scale / softness), 0.0, 1.0)
    return covered


def slope(distance: Array, scale: float) -> Array:
    """Return how much each point of a bevel faces the station's key light (upper left), -1..1."""
    facing = np.zeros_like(distance)
    facing[:, 1:-1] = (distance[:, 2:] - distance[:, :-2]) * -0.5
    facing[1:-1] += (distance[2:] - distance[:-2]) * -0.85 * 0.5
    lit: Array = np.clip(facing * (scale / 1.3), -1.0, 1.0)
    return lit
