"""Run the dense network with PyTorch on the processor, in this process."""

from __future__ import annotations

from django.conf import settings

from inference import weights
from inference.kinds.base import Pixels
from inference.runtimes.base import Predictor, Runtime, Weighted
from inference.runtimes.dense import DensePredictor, Logits, facts, restored

# Larger batches fall out of the processor's caches: a picture in sixteen took half as long again as one in four.
LARGEST_BATCH = 4


class TorchCpu(Runtime):
    """PyTorch, eager, channels last."""

    name = "torch"

    def load(self, version: Weighted) -> Predictor:
        """Return the model of `version`. Raises `ModelUnavailable`."""
        tensors, spec = weights.load(version.weights_digest)
        import torch  # after the weights: that there are none is told without it

        torch.set_num_threads(settings.TORCH_THREADS)
        network, (classes, calibration) = restored(tensors, spec), facts(spec)

        def forward(batch: Pixels) -> tuple[Logits, Logits]:
            with torch.inference_mode():
                evidence = network(torch.from_numpy(batch))
            return evidence.places.numpy(), evidence.picture.numpy()

        return DensePredictor(version.kind, forward, classes, calibration, largest_batch=LARGEST_BATCH)
