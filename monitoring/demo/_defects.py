"""From a defect's name to its drawing, and from what the drawing changed to the boxes of the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from scipy import ndimage

from monitoring.demo._arrays import Array
from monitoring.demo._canvas import Canvas, Window
from monitoring.demo._crack import cracks
from monitoring.demo._dent import dents
from monitoring.demo._look import Look
from monitoring.demo._scratch import scratches
from monitoring.demo._stain import stains

Box: TypeAlias = tuple[float, float, float, float]
Draw: TypeAlias = Callable[[Canvas, Look, float, np.random.Generator], Iterator[Window]]

DEFECTS: dict[str, Draw] = {"scratch": scratches, "crack": cracks, "dent": dents, "stain": stains}
MARGIN = 3  # pixels around what changed: the JPEG and the eye both spread an edge


def draw_defect(canvas: Canvas, look: Look, truth: str, visibility: float, rng: np.random.Generator) -> tuple[Box, ...]:
    """Draw a defect and return its boxes (x, y, width, height), each 0..1 of the photo. Raises KeyError for no such defect."""
    before = np.maximum(canvas.light, 0.0, out=canvas.light).copy()
    boxes = []
    for window in DEFECTS[truth](canvas, look, visibility, rng):
        np.maximum(canvas.view(window), 0.0, out=canvas.view(window))
        boxes.append(_box(before, canvas, window))
        before[:, window.rows, window.columns] = canvas.view(window)
    return tuple(boxes)


def _box(before: Array, canvas: Canvas, window: Window) -> Box:
    """Return the box of what changed visibly in a window: by a twelfth of the largest change, on a scale near the eye's."""
    after, height, width = canvas.view(window), canvas.light.shape[1], canvas.light.shape[2]
    change = np.abs(np.sqrt(after) - np.sqrt(before[:, window.rows, window.columns])).max(axis=0)
    rows, columns = ndimage.find_objects((change > change.max() / 12).astype(np.uint8))[0]
    left, right = window.columns.start + columns.start - MARGIN, window.columns.start + columns.stop + MARGIN
    top, bottom = window.rows.start + rows.start - MARGIN, window.rows.start + rows.stop + MARGIN
    left, right, top, bottom = max(left, 0), min(right, width), max(top, 0), min(bottom, height)
    return (left / width, top / height, (right - left) / width, (bottom - top) / height)
