"""What a runtime has to be able to do: turn stored weights into something that answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from inference.kinds.base import Pixels
from inference.predictions import Scores


class Weighted(Protocol):
    """What has weights to load: a `ModelVersion`, or what training just made."""

    @property
    def weights_digest(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def runtime(self) -> str: ...


class Predictor(Protocol):
    """A model in memory, warm. It may be called from as many threads at a time as its runtime has."""

    @property
    def kind(self) -> str: ...

    def predict(self, batch: Pixels) -> list[Scores]:
        """Return the scores of uint8 [n, side, side, 3], in its order."""
        ...


class Runtime(ABC):
    """A way to run models."""

    name: ClassVar[str]
    # Items that are best computed at once, and how long the first of them may wait for company under load.
    max_batch: ClassVar[int] = 16
    max_wait_ms: ClassVar[float] = 2.0
    # Whether callers compute on their own threads: for what only computes, and gains nothing from larger passes.
    inline: ClassVar[bool] = False

    @property
    def threads(self) -> int:
        """How many passes of one model may run at the same time."""
        return 1

    @abstractmethod
    def load(self, version: Weighted) -> Predictor:
        """Return the model, ready to answer at full speed. Raises `ModelUnavailable`."""
