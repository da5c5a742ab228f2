"""From the network's numbers to what is said: probabilities, heatmap, regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.predictions import Heatmap, Region, Scores
from inference.vision.calibration import Calibration

Array = npt.NDArray[np.floating]
# A place is part of a region from this probability of any defect on. Below one half, because most places at the edge of a
# defect show little of it: on magnetic tiles this finds 94 % of the defective ones and marks 3 % of the good ones.
REGION_FROM = 0.3
MAX_REGIONS = 20


def scores(places: Array, picture: Array, classes: Sequence[str], calibration: Calibration) -> list[Scores]:
    """Return what is said of each picture, for logits [n, classes, h, w] of places and [n, classes] of pictures."""
    probabilities = calibration.probabilities(picture.astype(np.float64)).tolist()
    maps = calibration.of_places(places.astype(np.float64))
    heats = 1 - maps[:, 0]
    rows, columns = heats.shape[1:]
    values = np.rint(heats * 255).astype(np.uint8)
    return [
        Scores(dict(zip(classes, row, strict=True)), regions(map_, classes), Heatmap(rows, columns, bytes_.tobytes()))
        for row, map_, bytes_ in zip(probabilities, maps, values, strict=True)
    ]


def regions(map_: Array, classes: Sequence[str]) -> tuple[Region, ...]:
    """Return the connected parts of class probabilities [classes, h, w] that are likely to be defective, surest first."""
    heat = 1 - map_[0]
    if heat.max() < REGION_FROM:
        return ()
    # Places that touch at a corner belong together: a crack runs diagonally as often as not.
    parts, count = ndimage.label(heat >= REGION_FROM, structure=np.ones((3, 3)))
    found = [_region(map_, parts == part, classes) for part in range(1, count + 1)]
    return tuple(sorted(found, key=lambda region: -region.score)[:MAX_REGIONS])


def _region(map_: Array, part: npt.NDArray[np.bool_], classes: Sequence[str]) -> Region:
    rows, columns = part.shape
    label = 1 + int(map_[1:, part].sum(axis=1).argmax())
    down, across = ndimage.find_objects(part.astype(np.int8))[0]
    return Region(
        label=classes[label],
        x=across.start / columns,
        y=down.start / rows,
        width=(across.stop - across.start) / columns,
        height=(down.stop - down.start) / rows,
        score=float((1 - map_[0])[part].max()),
    )
