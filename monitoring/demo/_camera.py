"""The camera: from linear light to a JPEG, with the station's vignette, a drifting exposure and white balance, and noise."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy import ndimage

from monitoring.demo._arrays import Array
from monitoring.demo._tiles import cut, grain

STEPS = 4096
NOISE = 1.7  # deviation of the sensor's noise in levels of 255, after the tone curve
WARMTH = np.array([0.32, 0.02, -0.34], np.float32)


@dataclass(frozen=True)
class Shift:
    """How the station drifted: `darker` multiplies the light, `blur` is the lens's extra blur in pixels at 960 x 720,

    `noise` multiplies the sensor's noise, `warmer` turns the lamps from their own white (0) to incandescent (1).
    """

    darker: float = 1.0
    blur: float = 0.0
    noise: float = 1.0
    warmer: float = 0.0


def photograph(light: Array, shift: Shift, rng: np.random.Generator) -> bytes:
    """Return the JPEG of linear light (3, height, width), which is used up in the process."""
    height, width = light.shape[1:]
    gains = rng.normal(1.0, (0.014, 0.006, 0.016)) * rng.normal(1.0, 0.03) * shift.darker * (1.0 + WARMTH * shift.warmer)
    light *= _vignette(width, height)
    if shift.blur > 0:
        light = ndimage.gaussian_filter(light, (0, shift.blur * width / 960, shift.blur * width / 960), truncate=3.0)
    noise = cut(grain(), rng, height, width)
    planes = [
        Image.fromarray(_expose(plane, float(gain), noisy, NOISE * shift.noise))
        for plane, gain, noisy in zip(light, gains, noise, strict=True)
    ]
    sheet = io.BytesIO()
    Image.merge("RGB", planes).save(sheet, "JPEG", quality=int(rng.integers(85, 93)))
    return sheet.getvalue()


def _expose(plane: Array, gain: float, noise: Array, deviation: float) -> Array:
    """Return levels 0..255 of one plane. Shot noise grows with the root of light, so after the curve it is even all over."""
    steps = plane * np.float32(gain * (STEPS - 1))
    np.clip(steps, 0, STEPS - 1, out=steps)
    levels = _curve().take(steps.astype(np.uint16))
    levels += noise * np.float32(deviation)
    np.clip(levels, 0, 255, out=levels)
    return levels.astype(np.uint8)


@lru_cache(maxsize=1)
def _curve() -> Array:
    """Return the tone curve, half a level up for rounding: sRGB with a soft shoulder, so that lamps do not burn out."""
    light = np.arange(STEPS) / (STEPS - 1)
    shouldered = np.where(light < 0.6, light, 0.6 + 0.4 * np.tanh((light - 0.6) / 0.4) / np.tanh(1.0))
    encoded = np.where(shouldered <= 0.0031308, shouldered * 12.92, 1.055 * shouldered ** (1 / 2.4) - 0.055)
    return (encoded * 255.0 + 0.5).astype(np.float32)


@lru_cache(maxsize=4)
def _vignette(width: int, height: int) -> Array:
    """Return the light's fall from the middle to the corners (height, width), and the lamp's pool left of the middle."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1.0 - 0.30 * (x * x + y * y) / 2 - 0.22 * ((x * x + y * y) / 2) ** 2
    pool = 0.93 + 0.32 * np.exp(-((x + 0.3) ** 2 / 0.9 + (y + 0.35) ** 2 / 0.7))
    gain: Array = (fall * pool).astype(np.float32)
    return gain
