"""What a server says about itself and a model of it, and the manifest that follows from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference.errors import ModelUnavailable
from inference.remote.errors import ManifestRefused
from inference.remote.manifest import DATATYPES, Manifest
from inference.remote.messages import as_object
from inference.remote.wire import Wire

# What servers call the extension in their metadata: Triton, and others after it.
BINARY_EXTENSIONS = {"binary_tensor_data", "binary_data"}
# Pictures a request. JSON takes four to twelve bytes a number, of which a picture has 150,000.
MOST_JSON, MOST_BINARY = 4, 16


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output, as declared; a side of -1 may be any."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """A server and a model. Inputs and outputs are empty where the server declares none, which the protocol allows."""

    server: str
    binary: bool
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def describe(wire: Wire, model_path: str) -> Described:
    """Ask a server what it is, whether the model is ready, and what it takes. Raises `ModelUnavailable`."""
    server = as_object(wire.get("/v2").body)
    wire.get(f"{model_path}/ready")
    model = as_object(wire.get(model_path).body)
    extensions = server.get("extensions")
    known = {one for one in extensions if isinstance(one, str)} if isinstance(extensions, list) else set()
    return Described(
        server=f"{server.get('name', 'unnamed')} {server.get('version', '')}".strip()[:80],
        binary=bool(known & BINARY_EXTENSIONS),
        inputs=_tensors(model.get("inputs")),
        outputs=_tensors(model.get("outputs")),
    )


def manifest_from(described: Described, chosen: Mapping[str, Any]) -> Manifest:
    """Return the manifest of the model; what is in `chosen`, by the manifest's names, holds before what was declared.

    Raises `ManifestRefused` for a model that cannot be asked from here.
    """
    values = dict(chosen)
    values.setdefault("binary", described.binary)
    values.setdefault("most", MOST_BINARY if values["binary"] else MOST_JSON)
    given = _pick("input", described.inputs, values.get("input_name"))
    if given is not None:
        values = {"input_name": given.name, "datatype": given.datatype} | _from_shape(given, values) | values
        if given.shape[0] == 1:
            # The model's own limit, whatever was chosen.
            values["most"] = 1
    wanted = _pick("output", described.outputs, values.get("output_name"))
    if wanted is not None:
        values = {"output_name": wanted.name} | values
    missing = [name for name in ("input_name", "output_name") if not values.get(name)]
    if missing:
        raise ManifestRefused(f"The server does not declare its tensors: name them ({' and '.join(missing)}).")
    if values.get("datatype", "FP32") not in DATATYPES:
        raise ManifestRefused(f"The input takes {values['datatype']}; what can be sent is {', '.join(DATATYPES)}.")
    return Manifest(**values)


def _pick(what: str, tensors: tuple[Tensor, ...], name: str | None) -> Tensor | None:
    """Return the tensor of that name, the only one where none is named, or None where the server declares none."""
    if not tensors:
        return None
    names = ", ".join(tensor.name for tensor in tensors)
    found = [tensor for tensor in tensors if name is None or tensor.name == name]
    if not found:
        raise ManifestRefused(f"There is no {what} {name!r}; there are: {names}.")
    if len(found) > 1:
        raise ManifestRefused(f"There are several {what}s, and one has to be named: {names}.")
    return found[0]


def _from_shape(given: Tensor, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return layout, size and largest batch after the declared shape."""
    shape = given.shape
    if len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise ManifestRefused(f"The input {given.name} has the shape {list(shape)}, not batch x height x width x 3 colours.")
    layout = chosen.get("layout") or ("NHWC" if shape[3] == 3 else "NCHW")
    height, width = (shape[1], shape[2]) if layout == "NHWC" else (shape[2], shape[3])
    found: dict[str, Any] = {"layout": layout}
    found |= {name: side for name, side in (("height", height), ("width", width)) if side > 0}
    if shape[0] > 1:
        raise ManifestRefused(
            f"The input {given.name} takes exactly {shape[0]} pictures at a time; any number or one is needed."
        )
    return found


def _tensors(given: object) -> tuple[Tensor, ...]:
    """Return the declared tensors. Raises `ModelUnavailable` for what is no declaration."""
    if given is None:
        return ()
    try:
        return tuple(_tensor(one) for one in given)  # type: ignore[attr-defined]
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ModelUnavailable(f"The server's description of the model cannot be read: {error!r}.") from error


def _tensor(given: Mapping[str, Any]) -> Tensor:
    return Tensor(str(given["name"])[:200], str(given["datatype"])[:20], tuple(int(side) for side in given["shape"]))
