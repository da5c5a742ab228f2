"""What good phones carry too: fingerprints, wiping smears, dust and lint. None of it is a defect."""

from __future__ import annotations

import numpy as np
from PIL import Image

from monitoring.demo._arrays import Array, ramp
from monitoring.demo._body import Body
from monitoring.demo._canvas import Canvas, cover
from monitoring.demo._look import Look
from monitoring.demo._strokes import curve, draw_strokes
from monitoring.demo._tiles import cut, fingerprints, fractal


def draw_dirt(canvas: Canvas, look: Look, body: Body, rng: np.random.Generator) -> None:
    """Soil the phone a little: grease shows most where the glass mirrors a lamp, dust anywhere."""
    mirror = 1.0 if look.front else 0.45 + 0.3 * look.finish.gloss
    grease = np.zeros_like(body.distance)
    _smear(grease, rng)
    for _ in range(int(rng.integers(0, 5))):
        _touch(grease, rng, canvas.pose.scale)
    inside = cover(body.distance + look.model.frame + 0.4, canvas.pose.scale)
    view = canvas.view(body.window)
    view += grease * inside * (0.006 + 0.045 * body.glare) * mirror
    _dust(canvas, look, rng)
    for _ in range(int(rng.integers(0, 3))):
        _lint(canvas, look, rng)


def _smear(grease: Array, rng: np.random.Generator) -> None:
    height, width = grease.shape
    grease += np.clip(cut(fractal(5, 1024, 640, 3, 6), rng, height, width), 0.0, 2.0) * rng.uniform(0.1, 0.6)


def _touch(grease: Array, rng: np.random.Generator, scale: float) -> None:
    """Add one finger mark of about 13 x 18 mm at a random place and angle."""
    print_ = Image.fromarray(fingerprints(6)[rng.integers(4)])
    side = max(4, round(13.0 * scale))
    turned = np.asarray(
        print_.resize((side, round(side * 1.35)), Image.Resampling.BILINEAR).rotate(rng.uniform(0, 360), expand=True)
    )
    top = int(rng.integers(max(1, grease.shape[0] - turned.shape[0])))
    left = int(rng.integers(max(1, grease.shape[1] - turned.shape[1])))
    part = grease[top : top + turned.shape[0], left : left + turned.shape[1]]
    part += turned[: part.shape[0], : part.shape[1]] * rng.uniform(0.5, 1.8)


def _dust(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    """Specks of a pixel or two: bright, because they scatter light that the surface mirrors away."""
    for _ in range(int(rng.integers(12, 46))):
        u, v = (rng.uniform(-0.48, 0.48) * side for side in (look.model.length, look.model.width))
        x, y = canvas.pose.pixel(u, v)
        row, column = int(y), int(x)
        speck = canvas.light[:, row : row + 2, column : column + 2]
        speck += rng.uniform(0.0, 0.09) * rng.random(speck.shape[1:]) ** 2


def _lint(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    """One short curled fibre: faint, and far shorter than a scratch."""
    u, v = (rng.uniform(-0.45, 0.45) * side for side in (look.model.length, look.model.width))
    window = canvas.window(u, v, 5.0, 5.0)
    path = curve(rng, canvas.pose.pixel(u, v), rng.uniform(2.0, 5.0) * canvas.pose.scale, rng.uniform(0, 6.3), 1.6)
    fibre = draw_strokes(window, [(path, np.full(len(path), 1.1), np.full(len(path), 1.0))])
    canvas.view(window)[...] += fibre * rng.uniform(0.015, 0.05) * ramp(np.array(canvas.pose.scale / 2.5))
