"""Train a model of any kind, and enter it into the book of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from inference import kinds
from inference.examples import Example, NotEnoughLabels, Progress, Split, Trained
from inference.kinds.base import Limits
from inference.models import ModelVersion

__all__ = ["Example", "NotEnoughLabels", "Progress", "Split", "Trained", "create_version", "train"]

# Two trainings that end at the same moment want the same number; the loser takes the next.
NAME_ATTEMPTS = 10


def train(
    kind: str,
    examples: Sequence[Example],
    classes: Sequence[str],
    *,
    seed: int,
    progress: Progress,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Trained:
    """Train on `examples` and store the weights. The first of `classes` is the negative.

    `progress` is called with the share done, 0 to 1, and what is being done; what it raises ends the training. Raises
    `NotEnoughLabels`, `UnknownKind`, and `InputRefused` for an example that can't be read.
    """
    return kinds.get(kind).train(examples, classes, seed=seed, progress=progress, limits=limits)


def create_version(trained: Trained, metrics: dict[str, Any], dataset_digest: str, stem: str = "") -> ModelVersion:
    """Return the new row, named by its kind or `stem`, day and number: "inspection-20261121-1"."""
    day = f"{stem or trained.kind}-{timezone.now():%Y%m%d}-"
    taken = ModelVersion.objects.filter(name__startswith=day).count()
    for number in range(taken + 1, taken + NAME_ATTEMPTS):
        try:
            with transaction.atomic():
                return _insert(f"{day}{number}", trained, metrics, dataset_digest)
        except IntegrityError:
            continue
    return _insert(f"{day}{taken + NAME_ATTEMPTS}", trained, metrics, dataset_digest)


def _insert(name: str, trained: Trained, metrics: dict[str, Any], dataset_digest: str) -> ModelVersion:
    return ModelVersion.objects.create(
        name=name,
        kind=trained.kind,
        runtime=trained.runtime,
        classes=list(trained.classes),
        weights_digest=trained.weights_digest,
        card=trained.card,
        metrics=metrics,
        dataset_digest=dataset_digest,
    )
