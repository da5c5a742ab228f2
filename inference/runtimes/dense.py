"""What the runtimes of the dense network share: loading the stored weights, and turning logits into what is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from inference.errors import ModelUnavailable
from inference.kinds.base import Pixels
from inference.predictions import Scores
from inference.vision.answers import scores
from inference.vision.calibration import Calibration
from inference.weights import Tensors

if TYPE_CHECKING:
    from inference.vision.network import Network

SIDE = 224
Logits = npt.NDArray[np.floating[Any]]


class Forward(Protocol):
    """A forward pass: uint8 [n, 224, 224, 3] in, logits of places [n, classes, 14, 14] and of pictures [n, classes] out."""

    def __call__(self, batch: Pixels, /) -> tuple[Logits, Logits]: ...


def restored(tensors: Tensors, spec: dict[str, Any]) -> Network:
    """Return the network of these weights, with PyTorch. Raises `ModelUnavailable` for weights that are not for here."""
    from inference.vision.network import restore

    with _fitting():
        return restore(tensors, spec)


def facts(spec: dict[str, Any]) -> tuple[list[str], Calibration]:
    """Return the classes, and how logits become probabilities. Raises `ModelUnavailable` where weights don't say it as here."""
    with _fitting():
        return list(spec["classes"]), Calibration(**spec["calibration"])


@contextmanager
def _fitting() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"The weights don't fit this program: {error}.") from error


class DensePredictor:
    """A dense network that answers, at most `largest_batch` pictures a pass."""

    def __init__(
        self, kind: str, forward: Forward, classes: Sequence[str], calibration: Calibration, *, largest_batch: int
    ) -> None:
        self.kind = kind
        self._forward, self._classes, self._calibration = forward, classes, calibration
        self._largest_batch = largest_batch
        # The first pass chooses kernels and allocates; nobody should wait for that. Both sizes, as each has its own.
        for count in (1, 2):
            self.predict(np.zeros((count, SIDE, SIDE, 3), np.uint8))

    def predict(self, batch: Pixels) -> list[Scores]:
        """Return the scores of uint8 [n, 224, 224, 3]: class, heatmap and regions from one forward pass."""
        found: list[Scores] = []
        for start in range(0, len(batch), self._largest_batch):
            places, pictures = self._forward(np.ascontiguousarray(batch[start : start + self._largest_batch]))
            found += scores(places, pictures, self._classes, self._calibration)
        return found
