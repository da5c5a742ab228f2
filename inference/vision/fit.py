"""Train the dense network: features once, then the head, then its calibration; and store it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import torch

from inference import weights
from inference.examples import Example, NotEnoughLabels, Progress, Trained, of_split
from inference.vision import backbone
from inference.vision.calibration import fit as fit_calibration
from inference.vision.facts import card
from inference.vision.learn import good_places, learn, picture_logits
from inference.vision.material import Read, prepare
from inference.vision.network import Network
from inference.vision.steps import one_thread_an_operation

RUNTIME = "onnxruntime"
# Shares of the progress bar at which the features are there and the learning ends.
FEATURES_UNTIL, LEARNT_UNTIL = 0.5, 0.98


def train(
    kind: str, examples: Sequence[Example], classes: Sequence[str], *, seed: int, progress: Progress, read: Read
) -> Trained:
    """Fit a network to the train split, choose and calibrate it by the validation split, and store it.

    The same examples, seed and machine give the same weights. Raises `NotEnoughLabels`.
    """
    started = time.monotonic()
    check_enough(examples, classes)
    with one_thread_an_operation(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(backbone.choose(), len(classes))
        learning, checking = prepare(network, examples, classes, read, progress, FEATURES_UNTIL)
        network.measure(learning.inputs)
        learn(network, learning, checking, lambda share, said: progress(_between(FEATURES_UNTIL, LEARNT_UNTIL, share), said))
        progress(LEARNT_UNTIL, "Calibrating")
        logits = picture_logits(network, checking).double().numpy()
        calibration = fit_calibration(logits, checking.answers.numpy(), good_places(learning))
        spec = network.spec(classes, calibration)
        facts = card(kind, network.backbone_name, spec, examples, seed=seed, seconds=time.monotonic() - started)
    digest = weights.store(network.tensors(), spec, facts)
    progress(1.0, "Done")
    return Trained(digest, facts, kind, RUNTIME, tuple(classes))


def check_enough(examples: Sequence[Example], classes: Sequence[str]) -> None:
    """Raise `NotEnoughLabels` where the train split has fewer than two classes, `ValueError` for an answer that is no class."""
    unknown = {example.answer for example in examples} - set(classes)
    if unknown:
        raise ValueError(f"These answers are no classes: {', '.join(sorted(unknown))}.")
    counts = Counter(example.answer for example in of_split(examples, "train") if example.weight > 0)
    if len(counts) < 2:
        has = ", ".join(f"{count} of {label}" for label, count in counts.items()) or "none at all"
        missing = ", ".join(label for label in classes if label not in counts)
        raise NotEnoughLabels(f"Training needs examples of at least two classes. It has {has}; missing are: {missing}.")


def _between(begin: float, end: float, share: float) -> float:
    return begin + (end - begin) * share
