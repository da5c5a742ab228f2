"""The phone's body: buttons, metal frame and the lamps' reflection, common to front and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.demo._arrays import Array, linear, ramp
from monitoring.demo._canvas import Canvas, Window, cover, rounded, slope
from monitoring.demo._look import Lamps, Look

SHEEN = np.array([0.92, 0.98, 1.06], np.float32)  # the light bars are a little cooler than the room


@dataclass(frozen=True)
class Body:
    """The phone's window with what every later layer asks of it: distance to the outline (mm) and the lamps' glare (0..1)."""

    window: Window
    distance: Array
    glare: Array


def draw_body(canvas: Canvas, look: Look) -> Body:
    """Paint buttons and frame; return the body for the layers above."""
    model = look.model
    window = canvas.window(0.0, 0.0, model.length / 2 + 2.0, model.width / 2 + 2.0)
    for side, u, length in model.buttons:
        _button(canvas, look, side if look.front else -side, u, length)
    distance = rounded(window.u, window.v, model.length / 2, model.width / 2, model.corner)
    _frame(canvas, look, window, distance)
    return Body(
        window, distance, glare(look.lamps, window.u, window.v, 1.5 if look.front else 1.0 + 9.0 * (1.0 - look.finish.gloss))
    )


def glare(lamps: Lamps, u: Array, v: Array, blur: float) -> Array:
    """Return the reflection of the two bars (0..1): a wide one and a thin one; `blur` in mm is the surface's roughness."""
    across = u * np.cos(lamps.turn) + v * np.sin(lamps.turn) - lamps.place
    across += 0.0022 * v * v  # no glass is perfectly flat
    fade = lamps.strength * (0.8 - 0.0085 * v) * (0.86 + 0.14 * np.clip(across / lamps.width, -1.0, 1.0))
    wide = ramp((lamps.width - np.abs(across)) / (2 * blur) + 0.5)
    thin = ramp((lamps.width * 0.28 - np.abs(across - lamps.gap)) / (2 * blur) + 0.5)
    seen: Array = (wide + 0.6 * thin) * fade
    return seen


def _button(canvas: Canvas, look: Look, side: int, u: float, length: float) -> None:
    half_width = look.model.width / 2
    window = canvas.window(u, side * half_width, length / 2 + 1.0, 1.5)
    distance = rounded(window.u - u, window.v - side * half_width, length / 2, 0.75, 0.6)
    tone = linear(look.finish.frame) * (0.75 if side < 0 else 0.4)
    canvas.blend(window, cover(distance, canvas.pose.scale), tone)


def _frame(canvas: Canvas, look: Look, window: Window, distance: Array) -> None:
    """A rounded metal band: it turns away at the outline, and its upper left side faces the key light."""
    facing = slope(distance, canvas.pose.scale)
    depth = np.clip(-distance / look.model.frame, 0.0, 1.0)
    round_off = depth * (2.0 - depth)
    tone = (0.3 + 0.45 * round_off) * (1.0 + 0.45 * facing)
    shine = np.maximum(facing, 0.0) * ramp(1.0 - np.abs(depth - 0.55) * 3.0) * 0.22
    colour = linear(look.finish.frame)[:, None, None] * tone + shine
    canvas.blend(window, cover(distance, canvas.pose.scale), colour)
