"""The front: black glass over a switched-off screen, with notch, hole or home button, and the lamps in it."""

from __future__ import annotations

import numpy as np

from monitoring.demo._arrays import Array, at, linear, ramp
from monitoring.demo._body import SHEEN, Body
from monitoring.demo._canvas import Canvas, cover, rounded, slope
from monitoring.demo._look import Look

BEZEL = linear("#060607")
SCREEN = linear("#121318")


def draw_front(canvas: Canvas, look: Look, body: Body) -> None:
    """Paint the front glass inside the frame."""
    scale, model = canvas.pose.scale, look.model
    inside = body.distance + model.frame
    colour = np.broadcast_to(at(BEZEL), (3, *inside.shape)).copy()
    screen = _screen(look, body)
    colour += (at(SCREEN) - at(BEZEL)) * cover(screen, scale)
    colour += _reflection(look, body, inside, scale)
    glass = cover(inside, scale)
    view = canvas.view(body.window)
    view *= 1.0 - 0.75 * cover(np.abs(inside - 0.1) - 0.16, scale)  # the gap between metal and glass
    view += (colour - view) * glass
    _cutouts(canvas, look)


def _screen(look: Look, body: Body) -> Array:
    """Return the distance to the lit area: bezels of one width all round, or deep ones above and below."""
    model, window = look.model, body.window
    side = model.frame + model.bezel
    if model.chin < 5.0:
        cut: Array = np.maximum(body.distance + side, window.u - (model.length / 2 - side - model.chin))
        return cut
    return rounded(window.u, window.v, model.length / 2 - model.chin, model.width / 2 - side, 0.8)


def _reflection(look: Look, body: Body, inside: Array, scale: float) -> Array:
    """Return what the glass mirrors (3, ...): a dim ceiling, the bars, and a bright line where the glass curves down."""
    ceiling = 0.0062 - 0.00004 * body.window.u - 0.00007 * body.window.v
    curve = ramp(1.0 - np.abs(inside + 0.55) / 0.5) * np.maximum(slope(inside, scale), 0.0) * 0.16
    mirrored: Array = at(SHEEN) * (ceiling + body.glare * 0.088 + curve)
    return mirrored


def _cutouts(canvas: Canvas, look: Look) -> None:
    model, end = look.model, -look.model.length / 2
    if model.front_camera == "hole":
        _spot(canvas, end + 6.6, 0.0, 1.9, 1.9, ring=False)
        _spot(canvas, end + model.frame + 0.7, 0.0, 0.35, 6.0, ring=False)
    if model.front_camera == "pill":
        _spot(canvas, end + 6.9, 0.0, 2.6, 9.0, ring=False)
        _spot(canvas, end + 6.9, 6.0, 1.5, 1.5, ring=False, tone="#10131c")
    if model.front_camera == "notch":
        _spot(canvas, end + 4.6, 0.0, 3.2, 3.4, ring=False)
        _spot(canvas, end + 5.0, 0.0, 1.3, 1.3, ring=False, tone="#10131c")
    if model.front_camera == "button":
        _spot(canvas, -end - model.chin / 2 - 0.4, 0.0, 5.2, 5.2, ring=True)
        _spot(canvas, end + 8.0, 0.0, 0.75, 5.0, ring=False)
        _spot(canvas, end + 8.0, -9.5, 1.2, 1.2, ring=False, tone="#10131c")


def _spot(canvas: Canvas, u: float, v: float, half_u: float, half_v: float, *, ring: bool, tone: str = "#030304") -> None:
    """A camera, slit or button in the glass: a darker shape with a faint lit rim."""
    window = canvas.window(u, v, half_u + 1.0, half_v + 1.0)
    distance = rounded(window.u - u, window.v - v, half_u, half_v, min(half_u, half_v))
    canvas.blend(window, cover(distance, canvas.pose.scale) * (0.35 if ring else 0.85), linear(tone))
    rim = cover(np.abs(distance) - 0.12, canvas.pose.scale)
    view = canvas.view(window)
    view += rim * (0.075 if ring else 0.012) * (1.0 - 0.6 * slope(distance, canvas.pose.scale))
