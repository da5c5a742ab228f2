"""Textures that cost too much to make for each photo: made once per process, then cut at random places."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image
from scipy import ndimage

from monitoring.demo._arrays import Array, ramp

SIDE = 640


def enlarge(field: Array, width: int, height: int) -> Array:
    """Return a small float field drawn out smoothly to (height, width)."""
    return np.asarray(Image.fromarray(field.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))


@lru_cache(maxsize=32)
def fractal(key: int, width: int = SIDE, height: int = SIDE, coarsest: int = 4, octaves: int = 6) -> Array:
    """Return cloud-like noise (height, width) with mean 0 and deviation 1: octaves of random grids, each at half weight."""
    rng = np.random.default_rng([key, 77])
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        total += enlarge(rng.normal(size=(cells, cells)), width, height) * 0.55**octave
    level: Array = (total - total.mean()) / total.std()
    return level


@lru_cache(maxsize=4)
def fingerprints(key: int) -> tuple[Array, ...]:
    """Return four finger marks (128, 96), 0..1: ridges around a whorl, worn away in patches."""
    rng = np.random.default_rng([key, 78])
    return tuple(_fingerprint(rng, fractal(key + index, 96, 128)) for index in range(4))


def _fingerprint(rng: np.random.Generator, cloud: Array) -> Array:
    y, x = np.mgrid[-1:1:128j, -1:1:96j]
    whorl = np.hypot((x - rng.uniform(-0.2, 0.2)) * 0.75, y - 0.15) + 0.035 * cloud
    ridges = 0.5 + 0.5 * np.sin(whorl * 92.0 + np.arctan2(y, x) * rng.integers(-2, 3))
    pad = ramp((1.0 - np.hypot(x, y)) * 2.2) * ramp(0.75 + 0.45 * cloud[::-1])
    mark: Array = (pad * (0.35 + 0.65 * ridges)).astype(np.float32)
    return mark


@lru_cache(maxsize=1)
def grain() -> Array:
    """Return sensor noise (3, 1200, 1400), deviation 1 in light: mostly grey, a little colour, softened by demosaicing."""
    rng = np.random.default_rng(79)
    grey = rng.standard_normal((1200, 1400), np.float32)
    colour = rng.standard_normal((3, 1200, 1400), np.float32)
    noise = ndimage.uniform_filter(0.75 * grey + 0.9 * colour, (0, 2, 2), mode="wrap") + 0.35 * grey
    level: Array = (noise / noise.std()).astype(np.float32)
    return level


def cut(tile: Array, rng: np.random.Generator, height: int, width: int) -> Array:
    """Return a window (height, width) of a tile's last two axes at a random place; tiles repeat where they are too small."""
    top = int(rng.integers(max(1, tile.shape[-2] - height + 1)))
    left = int(rng.integers(max(1, tile.shape[-1] - width + 1)))
    part = tile[..., top : top + height, left : left + width]
    if part.shape[-2:] == (height, width):
        return part
    repeats = (1,) * (tile.ndim - 2) + (-(-height // part.shape[-2]), -(-width // part.shape[-1]))
    return np.tile(part, repeats)[..., :height, :width]
