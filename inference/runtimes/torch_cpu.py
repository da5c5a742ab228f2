"""Run the dense network with PyTorch on the processor, in this process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from django.conf import settings

from inference import weights
from inference.errors import ModelUnavailable
from inference.kinds.base import Pixels
from inference.predictions import Scores
from inference.runtimes.base import Predictor, Runtime, Weighted
from inference.vision.answers import scores
from inference.vision.calibration import Calibration
from inference.vision.network import Network, restore

# Larger batches fall out of the processor's caches: a picture in sixteen took half as long again as one in four.
LARGEST_BATCH = 4
SIDE = 224


class TorchCpu(Runtime):
    """PyTorch, eager, channels last."""

    name = "torch"

    def load(self, version: Weighted) -> Predictor:
        """Return the model of `version`. Raises `ModelUnavailable` for weights that are missing, changed or not for here."""
        torch.set_num_threads(settings.TORCH_THREADS)
        tensors, spec = weights.load(version.weights_digest)
        try:
            network, classes, calibration = restore(tensors, spec)
        except (RuntimeError, KeyError, TypeError) as error:
            raise ModelUnavailable(f"The weights {version.weights_digest[:12]} don't fit this program: {error}.") from error
        predictor = DensePredictor(version.kind, network, classes, calibration)
        # The first pass chooses kernels and allocates; nobody should wait for that. Both sizes, as each has its own.
        for count in (1, 2):
            predictor.predict(np.zeros((count, SIDE, SIDE, 3), np.uint8))
        return predictor


class DensePredictor:
    """A dense network that answers."""

    def __init__(self, kind: str, network: Network, classes: Sequence[str], calibration: Calibration) -> None:
        self.kind = kind
        self._network = network.eval()
        self._classes = classes
        self._calibration = calibration

    def predict(self, batch: Pixels) -> list[Scores]:
        """Return the scores of uint8 [n, 224, 224, 3]: class, heatmap and regions from one forward pass."""
        found: list[Scores] = []
        for start in range(0, len(batch), LARGEST_BATCH):
            found += self._one_pass(batch[start : start + LARGEST_BATCH])
        return found

    def _one_pass(self, batch: Pixels) -> list[Scores]:
        with torch.inference_mode():
            evidence = self._network(torch.from_numpy(np.ascontiguousarray(batch)))
        return scores(evidence.places.numpy(), evidence.picture.numpy(), self._classes, self._calibration)
