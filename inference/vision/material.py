"""Read every example once, and hold in memory what training needs of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inference.examples import Example, Progress, of_split
from inference.kinds.base import Pixels
from inference.vision.base import GRID
from inference.vision.network import Network
from inference.vision.steps import Steps, side_by_side
from inference.vision.targets import NEGATIVE, Target, target

# Bytes of a photo, or of a mask, to upright pixels.
Read = Callable[[bytes], Pixels]
SIDE = 224
WHITE_FROM = 128
# Mirrored either way or both: axes of [n, height, width, ...].
VIEWS: tuple[tuple[int, ...], ...] = ((), (2,), (1,), (1, 2))
# A mirrored view is a further example that nobody had to label, but it costs a pass of the backbone: only as many as this.
MOST_INPUTS = 1_600
# Larger batches fall out of the processor's caches: four took half the time of sixteen.
FEATURE_BATCH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Examples as tensors. `inputs` [views * n, ...] and `places` [views * n, 14, 14] hold all examples in the first view,
    then all in the second, and so on; `answers` and `weights` are [n].
    """

    inputs: Tensor
    places: Tensor
    answers: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def views(self) -> int:
        """How often each example is there."""
        return len(self.inputs) // max(1, len(self.answers))


def prepare(
    network: Network, examples: Sequence[Example], classes: Sequence[str], read: Read, progress: Progress, until: float
) -> tuple[Material, Material]:
    """Return the train split in all its views and the validation split in one; fills the progress bar to `until`."""
    splits = of_split(examples, "train"), of_split(examples, "validation")
    reading = Steps(progress, 0.0, until / 5, sum(map(len, splits)), "Reading")
    pixels = [_pixels(split, read, reading) for split in splits]
    views = max(1, min(len(VIEWS), MOST_INPUTS // len(splits[0])))
    computing = Steps(progress, until / 5, until, views * len(splits[0]) + len(splits[1]), "Computing features")
    learning, checking = (
        _material(network, split, classes, seen, count, read, computing)
        for split, seen, count in zip(splits, pixels, (views, 1), strict=True)
    )
    return learning, checking


def _pixels(examples: Sequence[Example], read: Read, steps: Steps) -> Tensor:
    found = np.zeros((len(examples), SIDE, SIDE, 3), np.uint8)
    for row, example in enumerate(examples):
        found[row] = read(example.read())
        steps.step()
    return torch.from_numpy(found)


def _material(
    network: Network, examples: Sequence[Example], classes: Sequence[str], pixels: Tensor, views: int, read: Read, steps: Steps
) -> Material:
    places = np.zeros((len(examples), GRID, GRID), np.int64)
    for row, example in enumerate(examples):
        places[row] = _places(example, classes, read)
    seen, known = pixels, torch.from_numpy(places)
    return Material(
        _joined([_inputs(network, _mirrored(seen, view), steps) for view in range(views)]),
        torch.cat([_mirrored(known, view) for view in range(views)]),
        torch.tensor([classes.index(example.answer) for example in examples], dtype=torch.long),
        torch.tensor([example.weight for example in examples], dtype=torch.float32),
    )


def _joined(parts: list[Tensor]) -> Tensor:
    """Joining copies, and these are the largest tensors there are."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _places(example: Example, classes: Sequence[str], read: Read) -> Target:
    answer = classes.index(example.answer)
    # The mask of a good picture could only be black, so it is not even read.
    mask = read(example.mask()).max(axis=2) >= WHITE_FROM if example.mask is not None and answer != NEGATIVE else None
    return target(answer, classes, mask, example.boxes)


def _mirrored(tensor: Tensor, view: int) -> Tensor:
    return tensor.flip(VIEWS[view]) if VIEWS[view] else tensor


def _inputs(network: Network, pixels: Tensor, steps: Steps) -> Tensor:
    """Return what the trained part sees: a frozen backbone's features in half precision, else the pixels themselves."""
    if network.frozen_digest is None:
        steps.step(len(pixels))
        return pixels
    found = torch.empty((len(pixels), network.channels, GRID, GRID), dtype=torch.float16)

    def compute(start: int) -> None:
        with torch.inference_mode():
            found[start : start + FEATURE_BATCH] = network.backbone(pixels[start : start + FEATURE_BATCH])

    for start in side_by_side(compute, range(0, len(pixels), FEATURE_BATCH)):
        steps.step(min(FEATURE_BATCH, len(pixels) - start))
    return found
