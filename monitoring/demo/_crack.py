"""Cracks: rays that run and branch from a blow, slivers of glass between them that mirror the room each in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy import ndimage

from monitoring.demo._arrays import Array, ramp
from monitoring.demo._canvas import Canvas, Window, cover, rounded
from monitoring.demo._look import Look
from monitoring.demo._strokes import Polygon, Stroke, draw_polygons, draw_strokes


def cracks(canvas: Canvas, look: Look, visibility: float, rng: np.random.Generator) -> Iterator[Window]:
    """Break the glass from one blow; yield the window of what broke."""
    scale = canvas.pose.scale
    (u, v), spread = _blow(look, rng)
    rays = [_ray(rng, (u, v), heading, visibility) for heading in spread[: 2 + round(rng.uniform(0.55, 1.0) * 6 * visibility)]]
    rays.sort(key=lambda ray: float(np.arctan2(*(ray[-1] - ray[0])[::-1])))
    paths = rays + [twig for ray in rays for twig in _twigs(rng, ray, visibility)]
    if visibility > 0.45:
        paths += _rings(rng, rays)
    strokes = [_line(_pixels(canvas, path), scale * (0.13 + 0.27 * visibility), rng) for path in paths]
    window = canvas.around(np.concatenate([points for points, _, _ in strokes]), 3.0 * scale)
    glass = cover(
        rounded(window.u, window.v, look.model.length / 2, look.model.width / 2, look.model.corner) + look.model.frame, scale
    )
    strength = 0.1 + 0.9 * visibility
    _slivers(canvas, window, rays, glass * strength, rng)
    _break(canvas.view(window), draw_strokes(window, strokes) * glass, strength, scale)
    _crush(canvas, window, (u, v), glass * strength, visibility)
    yield window


def _blow(look: Look, rng: np.random.Generator) -> tuple[tuple[float, float], Array]:
    """Return where the phone was hit (mm) and the headings of the rays: a fan from an edge, or all round."""
    half_u, half_v = look.model.length / 2, look.model.width / 2
    if rng.random() < 0.3:
        place = (rng.uniform(-0.55, 0.55) * half_u, rng.uniform(-0.45, 0.45) * half_v)
        return place, rng.permutation(np.linspace(0.0, 2 * np.pi, 9)[:-1] + rng.normal(0.0, 0.2, 8))
    corner = 0.82 if rng.random() < 0.5 else rng.uniform(0.0, 0.7)
    place = (float(rng.choice((-1, 1))) * half_u * corner, float(rng.choice((-1, 1))) * (half_v - look.model.frame - 0.5))
    inward = np.arctan2(-place[1], -place[0] * 0.9)
    return place, rng.permutation(inward + np.linspace(-1.15, 1.15, 8) + rng.normal(0.0, 0.12, 8))


def _ray(rng: np.random.Generator, start: tuple[float, float], heading: float, visibility: float) -> Array:
    """Return points (n, 2) in mm: straight runs of a few mm with small sudden turns."""
    steps = max(4, round(rng.uniform(5, 14) * (0.45 + 0.75 * visibility)))
    headings = heading + rng.normal(0.0, 0.16, steps) + np.cumsum(rng.normal(0.0, 0.06, steps))
    runs = rng.uniform(2.0, 5.0, steps)[:, None] * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return np.concatenate([np.asarray(start)[None], np.asarray(start) + np.cumsum(runs, axis=0)])


def _twigs(rng: np.random.Generator, ray: Array, visibility: float) -> list[Array]:
    twigs = []
    for index in range(2, len(ray) - 1):
        if rng.random() < 0.28 * visibility:
            ahead = ray[index + 1] - ray[index]
            heading = float(np.arctan2(ahead[1], ahead[0]) + rng.choice((-1, 1)) * rng.uniform(0.35, 0.85))
            twigs.append(_ray(rng, (ray[index][0], ray[index][1]), heading, 0.1))
    return twigs


def _rings(rng: np.random.Generator, rays: list[Array]) -> list[Array]:
    """Return the short cross cracks that join neighbouring rays close to the blow."""
    rings = []
    for one, other in pairwise(rays):
        for index in (1, 2, 3):
            if rng.random() < 0.55 and np.hypot(*(one[index] - other[index])) < 14.0:
                bow = (one[index] + other[index]) / 2 + rng.normal(0.0, 0.5, 2)
                rings.append(np.stack([one[index], bow, other[index]]))
    return rings


def _pixels(canvas: Canvas, path: Array) -> Array:
    return np.array([canvas.pose.pixel(u, v) for u, v in path])


def _line(points: Array, width: float, rng: np.random.Generator) -> Stroke:
    along = np.linspace(1.0, 0.45, len(points))
    return points, width * along + 0.2, np.clip(along * rng.uniform(0.55, 1.05, len(points)), 0.1, 1.0)


def _slivers(canvas: Canvas, window: Window, rays: list[Array], glass: Array, rng: np.random.Generator) -> None:
    """Tilt the glass between neighbouring rays: each sliver a little lighter or darker than the whole pane."""
    lighter: list[Polygon] = []
    for one, other in pairwise(rays):
        reach = int(rng.integers(2, 5))
        outline = np.concatenate([_pixels(canvas, one[:reach]), _pixels(canvas, other[:reach])[::-1]])
        if np.hypot(*(one[reach - 1] - other[reach - 1])) < 18.0:
            lighter.append(([(x, y) for x, y in outline], rng.uniform(0.0, 1.0)))
    tilt = draw_polygons(window, lighter) * glass
    view = canvas.view(window)
    view += tilt * (0.035 + 0.1 * view)


def _break(view: Array, lines: Array, strength: float, scale: float) -> None:
    """A crack's two lips: one throws light back, the other lies in its own shade."""
    shift = max(0.6, 0.22 * scale)
    shade = ndimage.shift(lines, (shift, shift), order=1)
    halo = ndimage.uniform_filter(lines, max(3, round(2.2 * scale)))
    ground = float(view.mean())
    view *= 1.0 - strength * np.clip(0.75 * shade + (0.6 * lines if ground > 0.22 else 0.0), 0.0, 0.95)
    bright = lines if ground <= 0.22 else ndimage.shift(lines, (-shift, -shift), order=1) * 0.7
    view += strength * (bright * 0.42 + halo * 0.045)


def _crush(canvas: Canvas, window: Window, place: tuple[float, float], glass: Array, visibility: float) -> None:
    """Where the blow fell the glass is powder: pale and grainy."""
    away = np.hypot(window.u - place[0], window.v - place[1]) / (1.2 + 3.4 * visibility)
    rng = np.random.default_rng(81)
    powder = ramp(1.0 - away) * glass * (0.25 + 0.75 * rng.random(away.shape, np.float32))
    canvas.view(window)[...] += powder * 0.3
