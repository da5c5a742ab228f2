"""What is known of each place of a training picture: masks and boxes on the grid of the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.predictions import Region
from inference.vision.base import GRID

# Nothing is known of a place of a defective picture without mask or box.
UNKNOWN = -1
NEGATIVE = 0
Target = npt.NDArray[np.int64]


def target(
    answer: int, classes: Sequence[str], mask: npt.NDArray[np.bool_] | None = None, boxes: Sequence[Region] = ()
) -> Target:
    """Return the class of each place, int64 [14, 14]: an index into `classes`, or `UNKNOWN`.

    `mask` is true where the picture shows its defect, [h, w] with h and w multiples of 14. A good picture is good everywhere.
    """
    if answer == NEGATIVE:
        return np.full((GRID, GRID), NEGATIVE)
    found = np.full((GRID, GRID), NEGATIVE)
    if mask is not None:
        rows, columns = mask.shape[0] // GRID, mask.shape[1] // GRID
        cells = mask.reshape(GRID, rows, GRID, columns).any(axis=(1, 3))
        found[cells] = answer
    for box in boxes:
        found[_cells(box)] = classes.index(box.label) if box.label in classes else answer
    # An empty mask on a defective picture is a mask that nobody drew.
    return found if (found != NEGATIVE).any() else np.full((GRID, GRID), UNKNOWN)


def _cells(box: Region) -> tuple[slice, slice]:
    """Return the places that a box touches; at least one."""
    top, left = min(int(box.y * GRID), GRID - 1), min(int(box.x * GRID), GRID - 1)
    bottom = max(top + 1, int(np.ceil((box.y + box.height) * GRID - 1e-6)))
    right = max(left + 1, int(np.ceil((box.x + box.width) * GRID - 1e-6)))
    return slice(top, bottom), slice(left, right)
