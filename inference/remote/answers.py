"""From a remote model's tensors to scores. What cannot be right is refused: a person then looks at the item."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.predictions import SUM_TOLERANCE, Heatmap, Region, Scores
from inference.remote.errors import RemoteFailed
from inference.remote.manifest import Manifest
from inference.remote.messages import Tensors
from inference.vision.answers import regions

Numbers = npt.NDArray[np.float64]
# Rounding of single precision may leave a probability this far outside of 0 to 1.
EDGE_TOLERANCE = 1e-4
# Cells of a heatmap's side: more is more than anybody sees, and every item would store it.
LARGEST_MAP = 224


def scores(manifest: Manifest, tensors: Tensors, count: int) -> list[Scores]:
    """Return the scores of `count` pictures. Raises `RemoteFailed`."""
    rows = _probabilities(manifest, _tensor(tensors, manifest.output_name, count))
    if not manifest.heatmap_name:
        return [Scores(_labelled(manifest, row)) for row in rows]
    maps = _maps(_tensor(tensors, manifest.heatmap_name, count))
    return [
        Scores(_labelled(manifest, row), _regions(manifest, row, map_), _heatmap(map_))
        for row, map_ in zip(rows, maps, strict=True)
    ]


def _tensor(tensors: Tensors, name: str, count: int) -> Numbers:
    if name not in tensors:
        raise RemoteFailed(f"The answer has no output {name}; it has {', '.join(sorted(tensors)) or 'none'}.")
    found = tensors[name]
    if found.shape[0] != count:
        raise RemoteFailed(f"The output {name} is for {found.shape[0]} pictures, and {count} were sent.")
    if not np.isfinite(found).all():
        raise RemoteFailed(f"The output {name} has numbers that are not finite.")
    return found


def _probabilities(manifest: Manifest, given: Numbers) -> Numbers:
    """Return [n, classes], each row summing to 1."""
    columns = 1 if manifest.activation == "sigmoid" else len(manifest.classes)
    # By the shape, not the size: [n, 1, classes] may be one row a picture, [n, classes, 2] cannot.
    sides = [side for side in given.shape[1:] if side != 1]
    if sides != ([] if columns == 1 else [columns]):
        raise RemoteFailed(
            f"The output {manifest.output_name} has the shape {list(given.shape)}; {columns} a picture were expected."
        )
    rows = given.reshape(len(given), columns)
    if manifest.activation == "softmax":
        raised = np.exp(rows - rows.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))
    if manifest.activation == "sigmoid":
        # Clipped where the exponential would overflow; both ends are 0 and 1 to all digits there.
        share = 1 / (1 + np.exp(-np.clip(rows, -500, 500)))
        return np.concatenate([1 - share, share], axis=1)
    return _summing_to_one(manifest, rows)


def _summing_to_one(manifest: Manifest, rows: Numbers) -> Numbers:
    if rows.size and (rows.min() < -EDGE_TOLERANCE or rows.max() > 1 + EDGE_TOLERANCE):
        raise RemoteFailed(f"The output {manifest.output_name} has probabilities from {rows.min():.4g} to {rows.max():.4g}.")
    rows = np.clip(rows, 0, 1)
    sums = rows.sum(axis=1, keepdims=True)
    if (abs(sums - 1) > SUM_TOLERANCE).any():
        worst = sums.flat[int(abs(sums - 1).argmax())]
        raise RemoteFailed(
            f"The output {manifest.output_name} has probabilities that sum to {worst:.4g}; they have to sum to 1."
        )
    return np.asarray(rows / sums)


def _labelled(manifest: Manifest, row: Numbers) -> dict[str, float]:
    return {label: float(share) for label, share in zip(manifest.classes, row, strict=True)}


def _maps(given: Numbers) -> Numbers:
    """Return [n, rows, columns], the probability of any defect at each place. One channel, before or after, is taken away."""
    if given.ndim == 4 and 1 in (given.shape[1], given.shape[3]):
        given = given[:, 0] if given.shape[1] == 1 else given[..., 0]
    if given.ndim != 3 or not all(1 <= side <= LARGEST_MAP for side in given.shape[1:]):
        raise RemoteFailed(
            f"The heatmap has the shape {list(given.shape)}, not pictures x rows x columns of at most {LARGEST_MAP}."
        )
    if given.size and (given.min() < -EDGE_TOLERANCE or given.max() > 1 + EDGE_TOLERANCE):
        raise RemoteFailed(f"The heatmap has numbers from {given.min():.4g} to {given.max():.4g}, not from 0 to 1.")
    return np.clip(given, 0, 1)


def _heatmap(map_: Numbers) -> Heatmap:
    rows, columns = map_.shape
    return Heatmap(rows, columns, np.round(map_ * 255).astype(np.uint8).tobytes())


def _regions(manifest: Manifest, row: Numbers, map_: Numbers) -> tuple[Region, ...]:
    """Return the likely parts; the map does not say which defect it shows, so the picture's likeliest one names them."""
    by_class = np.zeros((len(row), *map_.shape))
    by_class[0] = 1 - map_
    by_class[1 + int(row[1:].argmax())] = map_
    return regions(by_class, manifest.classes)
