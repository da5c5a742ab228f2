"""What training takes and gives, for every kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from inference.predictions import Region

Split = Literal["train", "validation", "test"]
# Called with the share done, 0 to 1, and what is being done now.
Progress = Callable[[float, str], None]


class NotEnoughLabels(Exception):
    """There is too little to learn from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled item. `read` gives the bytes of its medium, `mask` those of a picture whose white is the defect.

    `digest` names the medium (SHA-256 of its bytes); `boxes` are the regions that people drew; `weight` counts the example
    as so many in training.
    """

    digest: str
    answer: str
    split: Split
    read: Callable[[], bytes]
    mask: Callable[[], bytes] | None = None
    boxes: tuple[Region, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Trained:
    """Where the new weights are and what is to be known about them."""

    weights_digest: str
    card: dict[str, Any]
    kind: str
    runtime: str
    classes: tuple[str, ...]


def of_split(examples: Sequence[Example], split: Split) -> list[Example]:
    """Return the examples of one split, in their order."""
    return [example for example in examples if example.split == split]
