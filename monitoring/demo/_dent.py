"""Dents: metal pushed in at the outline, or a hollow in the back that bends the light."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from monitoring.demo._arrays import Array, linear, ramp
from monitoring.demo._canvas import Canvas, Window, rounded
from monitoring.demo._look import Look

LIGHT = np.array((-0.76, -0.65))  # where the key light stands: upper left, in (column, row)


def dents(canvas: Canvas, look: Look, visibility: float, rng: np.random.Generator) -> Iterator[Window]:
    """Dent the phone once; yield the window of the dent. Glass fronts do not dent, so there it is always the edge."""
    if look.front or rng.random() < 0.3:
        yield _edge(canvas, look, visibility, rng)
    else:
        yield _hollow(canvas, look, visibility, rng)


def _hollow(canvas: Canvas, look: Look, visibility: float, rng: np.random.Generator) -> Window:
    """A bowl: the wall towards the light is dark, the far wall bright, and what mirrors in it is drawn together."""
    u, v = rng.uniform(-0.22, 0.36) * look.model.length, rng.uniform(-0.3, 0.3) * look.model.width
    size, squeeze, turn = 4.2 + 6.5 * visibility * rng.uniform(0.6, 1.0), rng.uniform(0.6, 1.0), rng.uniform(0, np.pi)
    window = canvas.window(u, v, size * 2.4, size * 2.4)
    along = (window.u - u) * np.cos(turn) + (window.v - v) * np.sin(turn)
    across = ((window.v - v) * np.cos(turn) - (window.u - u) * np.sin(turn)) / squeeze
    away = np.hypot(along, across) / size
    depth = np.exp(-(away**2.6)) * size * (0.12 + 0.42 * visibility)
    down_y, down_x = np.gradient(depth * canvas.pose.scale)
    facing = down_x * LIGHT[0] + down_y * LIGHT[1]
    view = canvas.view(window)
    _bend(view, down_y * 1.6 * canvas.pose.scale, down_x * 1.6 * canvas.pose.scale)
    view *= np.clip(1.0 + 1.3 * facing, 0.25, 2.2)
    view += ramp((facing - 0.12) * 2.6) * (0.04 + 0.10 * visibility)
    return window


def _edge(canvas: Canvas, look: Look, visibility: float, rng: np.random.Generator) -> Window:
    """A knock on the outline: the edge moves inwards, bare metal shines, and the lip throws a shade."""
    (u, v), inward = _edge_point(look, rng)
    broad = rng.uniform(4.0, 6.0) * (0.7 + 1.0 * visibility)
    deep = 0.2 + 3.0 * visibility**0.8
    window = canvas.window(u, v, broad * 2.4 + 4.0, broad * 2.4 + 4.0)
    along = (window.u - u) * -inward[1] + (window.v - v) * inward[0]
    into = (window.u - u) * inward[0] + (window.v - v) * inward[1]
    push = deep * np.exp(-((along / broad) ** 2)) * np.exp(-((np.maximum(into, 0.0) / (broad * 1.1)) ** 2))
    turn, view = canvas.pose.turn, canvas.view(window)
    x = (inward[0] * np.cos(turn) - inward[1] * np.sin(turn)) * canvas.pose.scale
    y = (inward[0] * np.sin(turn) + inward[1] * np.cos(turn)) * canvas.pose.scale
    _bend(view, push * y, push * x)
    body = rounded(window.u, window.v, look.model.length / 2, look.model.width / 2, look.model.corner)
    scuff = 0.6 if float(linear(look.finish.frame).mean()) < 0.3 else 0.09
    _knock(view, along / broad, -body - push, visibility, scuff, rng)
    return window


def _edge_point(look: Look, rng: np.random.Generator) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return a point on the outline (mm) and the direction inwards: a corner as often as a side."""
    half_u, half_v, corner = look.model.length / 2, look.model.width / 2, look.model.corner
    way_u, way_v = (float(way) for way in rng.choice((-1, 1), 2))
    if rng.random() < 0.55:
        slant = rng.uniform(0.5, 1.1)
        point = (half_u - corner * (1 - np.cos(slant))) * way_u, (half_v - corner * (1 - np.sin(slant))) * way_v
        return point, (-way_u * np.cos(slant), -way_v * np.sin(slant))
    if rng.random() < 0.7:
        return (rng.uniform(0.05, 0.75) * half_u, half_v * way_v), (0.0, -way_v)
    return (half_u * way_u, rng.uniform(-0.6, 0.6) * half_v), (-way_u, 0.0)


def _knock(view: Array, along: Array, depth: Array, visibility: float, scuff: float, rng: np.random.Generator) -> None:
    """Shade and bare metal, dirty on pale frames; `depth` is mm inside the new outline, `along` in units of the breadth."""
    near = np.exp(-((along * 1.05) ** 2)) * (0.06 + 0.94 * visibility**0.6)
    inside = ramp(depth * 3.0 + 0.5)
    rough = ndimage.gaussian_filter(rng.standard_normal(depth.shape), 1.2) * 1.6
    view *= 1.0 - 0.72 * near * inside * ramp(1.0 - np.abs(depth - 3.0) / 2.4)
    bare = ramp(2.0 - np.abs(depth - 0.3) / (0.7 + 0.8 * visibility)) * np.clip(0.75 + 0.6 * rough, 0.0, 1.0)
    view += (scuff * (1.0 + 0.35 * rough) - view) * (near * inside * bare)


def _bend(view: Array, rows: Array, columns: Array) -> None:
    """Replace each pixel by the one that lies so many pixels behind it."""
    y, x = np.mgrid[: view.shape[1], : view.shape[2]]
    place = np.stack([y - rows, x - columns])
    for plane in view:
        plane[...] = ndimage.map_coordinates(plane, place, order=1, mode="nearest")
