"""From pixels to the bytes of an input tensor, in binary or as JSON text.

What is sent of a pixel depends on its byte and its channel alone. So each of the 3 x 256 possible numbers is computed once, as
number or as text of one width, and a picture becomes its tensor by looking them up: JSON then costs little more than binary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.kinds.base import Pixels
from inference.remote.errors import ManifestRefused
from inference.remote.manifest import Manifest

DTYPES: dict[str, np.dtype[Any]] = {"UINT8": np.dtype("u1"), "FP16": np.dtype("<f2"), "FP32": np.dtype("<f4")}
Table = npt.NDArray[Any]


class Encoder:
    """Makes input tensors after a manifest. Raises `ManifestRefused` where its numbers leave the range of its datatype."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        numbers = _numbers(manifest)
        if not np.isfinite(numbers).all():
            raise ManifestRefused(f"Scaled pixels leave the range of {manifest.datatype}.")
        self._table = (numbers if manifest.binary else _texts(numbers)).reshape(-1)

    def shape(self, count: int) -> list[int]:
        """Return the shape of the tensor of `count` pictures."""
        side = [self._manifest.height, self._manifest.width]
        return [count, *side, 3] if self._manifest.layout == "NHWC" else [count, 3, *side]

    def data(self, batch: Pixels) -> bytes:
        """Return uint8 [n, side, side, 3] as the tensor's bytes, or as its numbers in JSON with commas between them."""
        pictures = self._sized(batch)
        if self._manifest.order == "BGR":
            pictures = pictures[..., ::-1]
        found = self._table[pictures + np.array([0, 256, 512], np.uint16)]
        if self._manifest.layout == "NCHW":
            found = found.transpose(0, 3, 1, 2)
        data = found.tobytes()
        return data if self._manifest.binary else data[:-1]

    def _sized(self, batch: Pixels) -> Pixels:
        size = (self._manifest.width, self._manifest.height)
        if batch.shape[1:3] == size[::-1]:
            return batch
        return np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BILINEAR)) for one in batch])


def _numbers(manifest: Manifest) -> Table:
    """Return what is sent for each byte of each channel: [3, 256], channels in the order in which they are sent."""
    levels = np.tile(np.arange(256, dtype=np.float64), (3, 1))
    if manifest.datatype == "UINT8":
        return levels.astype(np.uint8)
    mean, std = np.array(manifest.mean)[:, None], np.array(manifest.std)[:, None]
    with np.errstate(over="ignore"):
        return np.asarray((levels * manifest.scale - mean) / std, DTYPES[manifest.datatype])


def _texts(numbers: Table) -> Table:
    """Return each number as JSON, filled with blanks to one width and followed by a comma."""
    texts = [[str(number) for number in row] for row in numbers]
    width = max(len(text) for row in texts for text in row)
    return np.array([[f"{text:>{width}},".encode() for text in row] for row in texts])
