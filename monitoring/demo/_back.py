"""The back: coloured glass, a maker's mark, and the camera with its raised island, lenses and flash."""

from __future__ import annotations

import numpy as np

from monitoring.demo._arrays import at, linear, ramp
from monitoring.demo._body import SHEEN, Body
from monitoring.demo._canvas import Canvas, cover, rounded, slope
from monitoring.demo._look import Look
from monitoring.demo._models import Island, Lens

BLACK = linear("#070809")


def draw_back(canvas: Canvas, look: Look, body: Body) -> None:
    """Paint the back inside the frame, then the mark and the camera on it."""
    scale, finish = canvas.pose.scale, look.finish
    inside = body.distance + look.model.frame * 0.8
    shade = 0.86 - 0.0012 * body.window.u - 0.002 * body.window.v
    bend = slope(inside, scale) * ramp(1.0 + inside / 3.2)
    colour = at(linear(finish.back)) * (shade * (1.0 + 0.3 * bend))
    colour += at(SHEEN) * (body.glare * (0.035 + 0.035 * finish.gloss) + 0.05 * np.maximum(bend, 0.0) * finish.gloss)
    view = canvas.view(body.window)
    view *= 1.0 - 0.5 * cover(np.abs(inside - 0.05) - 0.1, scale)
    view += (colour - view) * cover(inside, scale)
    _mark(canvas, look)
    for island in look.model.islands:
        _island(canvas, look, island)
    for lens in look.model.lenses:
        _lens(canvas, look, lens)


def _mark(canvas: Canvas, look: Look) -> None:
    """The maker's mark in the middle and two lines of print too small to read, in the back's own colour."""
    light = float(linear(look.finish.back).mean()) > 0.2
    tone = linear(look.finish.back) * (0.62 if light else 1.0) + (0.0 if light else 0.06)
    size = 4.6 if look.model.corner > 8.2 else 3.6
    window = canvas.window(0.0, 0.0, size + 1, size + 1)
    ring = np.abs(rounded(window.u, window.v, size, size, size if look.model.bezel < 2.2 else 1.2)) - 0.55
    bar = rounded(window.u - 0.4, window.v, size * 0.42, 0.5, 0.4)
    canvas.blend(window, cover(np.minimum(ring, bar), canvas.pose.scale) * 0.8, tone)
    place = look.model.length / 2 - 17.0
    window = canvas.window(place, 0.0, 2.0, 14.0)
    print_cover = (np.sin(window.v * 5.1) + np.sin(window.v * 8.3 + 1.0) > -0.9) & (
        np.abs(np.abs(window.u - place) - 0.85) < 0.42
    )
    canvas.blend(window, print_cover * (np.abs(window.v) < 12.0) * 0.3, tone)


def _island(canvas: Canvas, look: Look, island: Island) -> None:
    """A plate that stands proud of the back: it throws a short shadow and its rim catches the key light."""
    scale = canvas.pose.scale
    window = canvas.window(island.u, island.v, island.half_u + 4.0, island.half_v + 4.0)
    u, v = window.u - island.u, window.v - island.v
    distance = rounded(u, v, island.half_u, island.half_v, island.radius)
    thrown = rounded(u - 0.8, v - 1.0, island.half_u, island.half_v, island.radius)
    on_back = ramp(-(np.abs(window.v) - look.model.width / 2 + 0.8))
    view = canvas.view(window)
    view *= 1.0 - 0.42 * ramp(1.0 - thrown / 2.4) * on_back
    tone = linear(look.finish.back) * 0.82 + 0.012
    glow = at(tone) * (1.0 - 0.006 * u - 0.008 * v)
    canvas.blend(window, cover(distance, scale), glow)
    facing = slope(distance, scale)
    rim = cover(np.abs(distance + 0.45) - 0.45, scale)
    view += rim * (at(tone) * 0.45 * facing + 0.07 * np.maximum(facing, 0.0))


def _lens(canvas: Canvas, look: Look, lens: Lens) -> None:
    scale = canvas.pose.scale
    window = canvas.window(lens.u, lens.v, lens.radius + 2.5, lens.radius + 2.5)
    u, v = window.u - lens.u, window.v - lens.v
    distance = np.hypot(u, v) - lens.radius
    view = canvas.view(window)
    if lens.flash:
        canvas.blend(window, cover(distance, scale), linear("#e9dfc4") * 0.8)
        view += cover(np.abs(distance + 0.8) - 0.25, scale) * 0.12
        return
    view *= 1.0 - 0.4 * ramp(1.0 - (np.hypot(u - 0.6, v - 0.8) - lens.radius) / 1.5)
    metal = at(linear(look.finish.frame)) * (0.9 + 0.75 * slope(distance, scale))
    canvas.blend(window, cover(distance, scale), metal)
    canvas.blend(window, cover(distance + 0.75, scale), BLACK)
    for inset, tone in ((0.36, 0.016), (0.55, 0.03), (0.74, 0.01)):
        view += cover(np.abs(distance + lens.radius * inset) - 0.22, scale) * tone
    pupil = ramp(1.0 - np.hypot(u + 0.2, v + 0.2) / (lens.radius * 0.42))
    view += at(np.array([0.020, 0.016, 0.060], np.float32)) * pupil
    _glints(canvas, look, lens)


def _glints(canvas: Canvas, look: Look, lens: Lens) -> None:
    """The bars again, small and sharp, on the lens's bulging glass."""
    window = canvas.window(lens.u, lens.v, lens.radius, lens.radius)
    u, v = window.u - lens.u, window.v - lens.v
    cos, sin = np.cos(look.lamps.turn), np.sin(look.lamps.turn)
    across, along = u * cos + v * sin, v * cos - u * sin
    size = lens.radius
    for place, strength in ((-0.34, 0.5), (0.42, 0.14)):
        spot = ramp(1.0 - np.abs(across / size - place) / 0.13) * ramp(1.6 - np.abs(along / size) / 0.22)
        canvas.view(window)[...] += at(SHEEN) * spot * strength * look.lamps.strength
