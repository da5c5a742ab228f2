"""Stains: dried glue, a brown liquid, or an oil film that shimmers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from monitoring.demo._arrays import Array, at, linear, ramp
from monitoring.demo._canvas import Canvas, Window, cover, rounded
from monitoring.demo._look import Look
from monitoring.demo._tiles import cut, fractal


def stains(canvas: Canvas, look: Look, visibility: float, rng: np.random.Generator) -> Iterator[Window]:
    """Soil the phone with one blotch or two; yield the window of each."""
    liquid = int(rng.integers(3))
    for drop in range(1 + int(rng.random() < 0.35)):
        u, v = (rng.uniform(-0.36, 0.36) * side for side in (look.model.length, look.model.width))
        size = rng.uniform(8.0, 13.0) * (0.7 + 0.6 * visibility) * (0.55 if drop else 1.0)
        yield _blotch(canvas, look, (u, v, size), liquid, visibility, rng)


def _blotch(
    canvas: Canvas, look: Look, place: tuple[float, float, float], liquid: int, visibility: float, rng: np.random.Generator
) -> Window:
    u, v, size = place
    window = canvas.window(u, v, size * 1.7, size * 1.7)
    turn, stretch = rng.uniform(0.0, np.pi), rng.uniform(1.0, 1.5)
    along = ((window.u - u) * np.cos(turn) + (window.v - v) * np.sin(turn)) / stretch
    across = (window.v - v) * np.cos(turn) - (window.u - u) * np.sin(turn)
    shape, cloud = cut(fractal(9, 900, 900, 7, 4), rng, *along.shape), cut(fractal(10, 900, 900, 16, 6), rng, *along.shape)
    height = 1.0 - np.hypot(along, across) / size + 0.2 * shape + 0.03 * cloud
    body = rounded(window.u, window.v, look.model.length / 2, look.model.width / 2, look.model.corner) + look.model.frame
    thick = np.clip(0.72 + 0.2 * cloud + 0.3 * height, 0.2, 1.25)
    film = ramp(height * 3.2) * thick * cover(body, canvas.pose.scale) * (0.04 + 0.96 * visibility**0.8)
    rim = ramp(1.0 - np.abs(height - 0.16) / 0.13)
    (_glue, _brown, _oil)[liquid](canvas.view(window), film, rim, height + 0.05 * cloud)
    return window


def _glue(view: Array, film: Array, rim: Array, height: Array) -> None:
    """Milky: lifts dark ground and dulls light ground, thickest at its rim."""
    milk = at(linear("#a9aba4")) if float(view.mean()) < 0.22 else at(linear("#85847c"))
    view += (milk - view) * film * (0.22 + 0.33 * rim)


def _brown(view: Array, film: Array, rim: Array, height: Array) -> None:
    """Coffee: takes blue away more than red, and leaves a dark ring where it dried last; on black it shows as a dull skin."""
    view *= 1.0 - at(np.array([0.38, 0.52, 0.66], np.float32)) * np.clip(film * (0.6 + 0.5 * rim), 0.0, 1.0)
    view += at(linear("#5b4632")) * film * (0.35 + 0.75 * rim)


def _oil(view: Array, film: Array, rim: Array, height: Array) -> None:
    """A thin film: its colour goes round the rainbow as its thickness grows (interference), over a greasy grey."""
    phase = np.clip(height, 0.0, 1.2)[None] * 1.7 + at(np.array([0.0, 0.33, 0.67], np.float32))
    rainbow = 0.5 + 0.5 * np.cos(2 * np.pi * phase)
    view *= 1.0 - film * (0.15 + 0.24 * (1.0 - rainbow) * min(1.0, float(view.mean()) * 3.0))
    view += film * (0.035 + 0.075 * rainbow + 0.04 * rim) * (0.6 + 0.9 * float(view.mean()))
