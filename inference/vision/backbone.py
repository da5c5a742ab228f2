"""What turns pixels into features at 14 x 14 places, and which one is taken: the pretrained one where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from inference.errors import ModelUnavailable
from inference.vision import lite0, scratch
from inference.vision.base import Backbone


class Choice(NamedTuple):
    """A backbone by name, how to build it, and whether it can be built here."""

    build: Callable[[], Backbone]
    available: Callable[[], bool]


# In the order of preference. The last is always available.
CHOICES: dict[str, Choice] = {
    lite0.NAME: Choice(lite0.Lite0, lite0.available),
    scratch.NAME: Choice(scratch.Scratch, lambda: True),
}


def choose() -> str:
    """Return the name of the best backbone that can be built here."""
    return next(name for name, choice in CHOICES.items() if choice.available())


def build(name: str) -> Backbone:
    """Return a backbone by name. Raises `ModelUnavailable` where it is unknown or not installed."""
    choice = CHOICES.get(name)
    if choice is None or not choice.available():
        raise ModelUnavailable(f"The backbone {name!r} is not installed here.")
    return choice.build()
