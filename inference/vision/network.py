"""The whole network, from pixels to evidence, and how it is stored and found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from inference.errors import ModelUnavailable
from inference.vision import backbone
from inference.vision.calibration import Calibration
from inference.vision.head import Committee, Evidence, Standardise, mean
from inference.weights import Tensors

# Raised whenever stored tensors would mean something else; older weights are then refused instead of misread.
ARCHITECTURE = "dense-1"


class Network(nn.Module):
    """Backbone, standardised features, committee of heads."""

    def __init__(self, name: str, classes: int) -> None:
        super().__init__()
        self.backbone_name, self.classes = name, classes
        self.backbone = backbone.build(name)
        self.standardise = Standardise(self.channels)
        self.head = Committee(self.channels, classes)

    @property
    def channels(self) -> int:
        """How many features the backbone gives of each place."""
        return self.backbone.channels

    @property
    def frozen_digest(self) -> str | None:
        """The digest of a backbone that is not trained and not stored with the rest; None where it is both."""
        return self.backbone.digest

    def forward(self, pixels: Tensor) -> Evidence:
        """Return logits for uint8 [n, 224, 224, 3]."""
        return mean(self._judge(self.backbone(pixels)))

    def from_inputs(self, inputs: Tensor) -> Evidence:
        """Return logits for what training holds in memory: features of a frozen backbone, else pixels."""
        return mean(self.each(inputs))

    def each(self, inputs: Tensor) -> list[Evidence]:
        """Return the logits of each head alone, for what training holds in memory."""
        return self._judge(inputs if self.frozen_digest else self.backbone(inputs))

    def _judge(self, features: Tensor) -> list[Evidence]:
        evidence: list[Evidence] = self.head(self.standardise(features))
        return evidence

    def train(self, mode: bool = True) -> Self:
        """A frozen backbone stays as it is, also while the head is trained."""
        super().train(mode)
        if self.frozen_digest:
            self.backbone.eval()
        return self

    def measure(self, inputs: Tensor) -> None:
        """Take mean and deviation of the features from training inputs. A backbone that is trained normalises by itself."""
        if self.frozen_digest:
            self.standardise.fit(inputs)

    def learnt(self) -> dict[str, Tensor]:
        """Return all that was learned here: the whole state but a frozen backbone."""
        state = self.state_dict()
        return {name: value for name, value in state.items() if not (self.frozen_digest and name.startswith("backbone."))}

    def tensors(self) -> Tensors:
        """Return what was learned here as arrays."""
        return {name: value.detach().numpy() for name, value in self.learnt().items()}

    def spec(self, classes: Sequence[str], calibration: Calibration) -> dict[str, Any]:
        """Return what has to be known beside the tensors to use them."""
        return {
            "architecture": ARCHITECTURE,
            "backbone": self.backbone_name,
            "backbone_digest": self.frozen_digest,
            "classes": list(classes),
            "calibration": asdict(calibration),
        }


def restore(tensors: Tensors, spec: dict[str, Any]) -> Network:
    """Return the stored network. Raises `ModelUnavailable` where it can't be used here."""
    if spec.get("architecture") != ARCHITECTURE:
        raise ModelUnavailable(f"These weights are for {spec.get('architecture')!r}; this program runs {ARCHITECTURE!r}.")
    network = Network(spec["backbone"], len(spec["classes"]))
    if network.frozen_digest != spec["backbone_digest"]:
        raise ModelUnavailable("The installed backbone is not the one that this model was trained on: their digests differ.")
    wanted = set(network.learnt())
    if wanted != set(tensors):
        raise ModelUnavailable(f"These weights lack or add tensors: {', '.join(sorted(wanted ^ set(tensors))[:5])}.")
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}, strict=False)
    return network.eval()
