"""Scratches: long thin furrows with one wall lit and one in shade, sometimes several from one stroke."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from monitoring.demo._arrays import Array
from monitoring.demo._canvas import Canvas, Window, cover, rounded
from monitoring.demo._look import Look
from monitoring.demo._strokes import Stroke, curve, draw_strokes


def scratches(canvas: Canvas, look: Look, visibility: float, rng: np.random.Generator) -> Iterator[Window]:
    """Scratch the phone; yield the window of each group of scratches after it is drawn."""
    for group in range(1 + int(rng.random() < 0.3)):
        u, v = (rng.uniform(-0.33, 0.33) * side for side in (look.model.length, look.model.width))
        length = rng.uniform(24.0, 44.0) * (0.6 + 0.8 * visibility) * (0.6 if group else 1.0)
        yield _group(canvas, look, (u, v), length, visibility, rng)


def _group(
    canvas: Canvas, look: Look, place: tuple[float, float], length: float, visibility: float, rng: np.random.Generator
) -> Window:
    scale = canvas.pose.scale
    turn, bend = rng.uniform(0.0, np.pi), rng.normal(0.0, 0.35)
    lines: list[Stroke] = []
    for index in range(int(rng.choice((1, 2, 3), p=(0.55, 0.3, 0.15)))):
        middle = np.asarray(canvas.pose.pixel(*place)) + rng.normal(0.0, 0.9 * scale, 2) * index
        path = curve(rng, (middle[0], middle[1]), length * scale * rng.uniform(0.75, 1.0), turn + rng.normal(0.0, 0.05), bend)
        lines.append(_furrow(path, scale * (0.2 + 0.5 * visibility) * (0.65 if index else 1.0), rng))
    window = canvas.around(np.concatenate([path for path, _, _ in lines]), 4.0 * scale)
    on_phone = cover(
        rounded(window.u, window.v, look.model.length / 2, look.model.width / 2, look.model.corner) + look.model.frame * 0.5,
        scale,
    )
    _carve(canvas.view(window), draw_strokes(window, lines) * on_phone, 0.08 + 0.92 * visibility**0.8, scale)
    return window


def _furrow(path: Array, width: float, rng: np.random.Generator) -> Stroke:
    """A furrow is deepest in its middle, runs out at both ends, and the tool skipped here and there."""
    along = np.linspace(0.0, 1.0, len(path))
    taper = np.sin(np.pi * along) ** 0.45
    skip = np.clip(1.0 + 0.45 * ndimage.gaussian_filter1d(rng.normal(size=len(path)), 1.5) * 2.0, 0.25, 1.3)
    return path, width * taper * np.sqrt(skip) + 0.25, np.clip(taper * skip * 0.85, 0.05, 1.0)


def _carve(view: Array, furrow: Array, strength: float, scale: float) -> None:
    """On dark ground a furrow scatters light and looks bright; on light ground it is a dark line with a bright side."""
    shift = max(0.6, 0.2 * scale)
    shade = ndimage.shift(furrow, (shift, shift), order=1)
    lit = ndimage.shift(furrow, (-shift, -shift), order=1)
    scuff = ndimage.uniform_filter(furrow, max(3, round(1.8 * scale)))
    ground = float(view.mean())
    if ground < 0.22:
        view *= 1.0 - 0.55 * strength * shade
        view += strength * (furrow * (0.30 + 0.5 * ground) + 0.05 * scuff)
    else:
        view *= 1.0 - strength * np.clip(0.75 * furrow + 0.3 * shade - 0.1 * scuff, 0.0, 0.95)
        view += strength * 0.35 * np.clip(lit - furrow, 0.0, 1.0)
