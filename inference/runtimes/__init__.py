"""The ways to run a model, by name."""

from __future__ import annotations

from inference.errors import UnknownKind
from inference.runtimes.base import Predictor, Runtime, Weighted
from inference.runtimes.oip import OpenInference
from inference.runtimes.onnx_cpu import OnnxCpu
from inference.runtimes.torch_cpu import TorchCpu

__all__ = ["Predictor", "Runtime", "Weighted", "get", "load", "names"]

# The one table: a new runtime is a file in this folder and a row here.
RUNTIMES: dict[str, Runtime] = {runtime.name: runtime for runtime in (OnnxCpu(), TorchCpu(), OpenInference())}


def get(name: str) -> Runtime:
    """Return the runtime called `name`. Raises `UnknownKind`."""
    try:
        return RUNTIMES[name]
    except KeyError:
        raise UnknownKind(f"There is no runtime {name!r}; there are: {', '.join(names())}.") from None


def names() -> list[str]:
    """Return the names of all runtimes, in the order of the table."""
    return list(RUNTIMES)


def load(version: Weighted) -> Predictor:
    """Return the model, loaded by the runtime it names. Raises `ModelUnavailable` and `UnknownKind`."""
    return get(version.runtime).load(version)
