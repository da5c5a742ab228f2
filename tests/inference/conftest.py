"""A tiny trained model that the whole folder shares; it is made once."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inference import kinds, runtimes
from inference.examples import Example
from inference.predictions import Region
from tests.inference.pictures import LIMITS, encoded

CLASSES = ("ok", "dot", "line")


def shot(answer: str, seed: int) -> tuple[bytes, Region | None]:
    """A noisy grey square of 64 pixels with a white dot, a white line, or nothing; and the box around what is there."""
    draw = np.random.default_rng(seed)
    image = Image.fromarray(draw.normal(110, 8, (64, 64)).clip(0, 255).astype(np.uint8))
    left, top = (int(value) for value in draw.integers(6, 36, 2))
    if answer == "dot":
        ImageDraw.Draw(image).ellipse((left, top, left + 14, top + 14), fill=235)
        box = Region("dot", left / 64, top / 64, 15 / 64, 15 / 64, 1.0)
    elif answer == "line":
        ImageDraw.Draw(image).line((left, 4, left + 8, 60), fill=20, width=4)
        box = Region("line", left / 64, 4 / 64, 10 / 64, 57 / 64, 1.0)
    else:
        box = None
    return encoded(image, "PNG"), box


def example(answer: str, seed: int, split: str) -> Example:
    data, box = shot(answer, seed)
    return Example(hashlib.sha256(data).hexdigest(), answer, split, lambda: data, boxes=(box,) if box else ())


def make_examples(train: int = 8, validation: int = 3, test: int = 4) -> list[Example]:
    """So many of each class and split, all different."""
    counts = {"train": train, "validation": validation, "test": test}
    return [
        example(answer, 10_000 * s + 100 * c + n, split)
        for s, (split, count) in enumerate(counts.items())
        for c, answer in enumerate(CLASSES)
        for n in range(count)
    ]


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    return make_examples()


@pytest.fixture(scope="session")
def trained(examples, django_test_environment):
    """The result of training, and the progress that was reported meanwhile."""
    reported: list[tuple[float, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        # One view and a third of the steps are enough for three classes that a child could tell apart.
        patch.setattr("inference.vision.material.MOST_INPUTS", 24)
        patch.setattr("inference.vision.learn.LEAST_STEPS", 50)
        found = kinds.get("inspection").train(
            examples, CLASSES, seed=1, progress=lambda share, said: reported.append((share, said)), limits=LIMITS
        )
    return found, reported


@pytest.fixture(scope="session")
def predictor(trained):
    return runtimes.load(trained[0])
