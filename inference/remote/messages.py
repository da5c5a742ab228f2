"""The protocol's two messages of inference, JSON or binary: pure functions between tensors and bytes.

Open Inference Protocol v2, "Inference"; the binary form is Triton's binary tensor data extension: JSON, whose length a header
gives, then the tensors one after the other, little-endian, row by row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.kinds.base import Pixels
from inference.remote.errors import RemoteFailed
from inference.remote.manifest import Manifest
from inference.remote.pixels import Encoder

LENGTH_HEADER = "inference-header-content-length"
# What answers may be made of, and how it lies in the binary form.
BINARY = {"FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}
MOST_DIMENSIONS = 6
Headers = dict[str, str]
Tensors = dict[str, npt.NDArray[np.float64]]


def request(manifest: Manifest, encoder: Encoder, batch: Pixels) -> tuple[bytes, Headers]:
    """Return the body that asks for the scores of uint8 [n, side, side, 3], and its headers."""
    data = encoder.data(batch)
    wanted = [name for name in (manifest.output_name, manifest.heatmap_name) if name]
    tensor: dict[str, Any] = {
        "name": manifest.input_name,
        "shape": encoder.shape(len(batch)),
        "datatype": manifest.datatype,
    }
    if not manifest.binary:
        said = json.dumps({"inputs": [tensor | {"data": []}], "outputs": [{"name": name} for name in wanted]})
        before, after = said.split('"data": []', 1)
        return b"".join((before.encode(), b'"data": [', data, b"]", after.encode())), {"content-type": "application/json"}
    tensor["parameters"] = {"binary_data_size": len(data)}
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in wanted]
    head = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
    return head + data, {"content-type": "application/octet-stream", LENGTH_HEADER: str(len(head))}


def response(body: bytes, headers: Mapping[str, str]) -> tuple[Tensors, str]:
    """Return the tensors of an answer by name, and the version of the model that gave it. Raises `RemoteFailed`."""
    head, rest = _halves(body, headers)
    outputs = head.get("outputs")
    if not isinstance(outputs, list):
        raise RemoteFailed("The answer has no list of outputs.")
    found: Tensors = {}
    for output in outputs:
        if not isinstance(output, dict) or not isinstance(output.get("name"), str):
            raise RemoteFailed("An output of the answer has no name.")
        values, rest = _values(output, rest)
        found[output["name"]] = values
    if rest:
        raise RemoteFailed(f"The answer has {len(rest):,} bytes more than its outputs.")
    version = head.get("model_version")
    return found, version if isinstance(version, str) else ""


def _halves(body: bytes, headers: Mapping[str, str]) -> tuple[dict[str, Any], bytes]:
    """Return the JSON part and the binary one."""
    length = len(body)
    if (given := headers.get(LENGTH_HEADER)) is not None:
        # isdigit is true for other digits too, which int reads as well.
        length = int(given) if given.isascii() and given.isdigit() and len(given) < 12 else -1
    if not 0 <= length <= len(body):
        raise RemoteFailed(f"The answer says that {given!r} of its {len(body):,} bytes are JSON.")
    return as_object(body[:length]), body[length:]


def as_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object in `text`. Raises `RemoteFailed`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RemoteFailed(f"The answer is no JSON: {str(error)[:100]}.") from error
    if not isinstance(found, dict):
        raise RemoteFailed("The answer is no JSON object.")
    return found


def _values(output: dict[str, Any], rest: bytes) -> tuple[npt.NDArray[np.float64], bytes]:
    """Return one output's numbers in its shape, and what is left of the binary part."""
    name, shape = output["name"], _shape(output)
    parameters = output.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return _listed(name, shape, output.get("data")), rest
    kind = BINARY.get(str(output.get("datatype")))
    if kind is None:
        raise RemoteFailed(f"The output {name} is of the type {output.get('datatype')!r}, not {', '.join(BINARY)}.")
    wanted = math.prod(shape) * np.dtype(kind).itemsize
    if size != wanted or size > len(rest):
        raise RemoteFailed(f"The output {name} has {size!r} bytes, {wanted} by its shape, and {len(rest)} were left.")
    return np.frombuffer(rest[:wanted], kind).astype(np.float64).reshape(shape), rest[wanted:]


def _shape(output: dict[str, Any]) -> list[int]:
    shape = output.get("shape")
    whole = isinstance(shape, list) and all(
        isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in shape
    )
    if not isinstance(shape, list) or not whole or not 1 <= len(shape) <= MOST_DIMENSIONS:
        raise RemoteFailed(f"The output {output['name']} has no sensible shape.")
    return shape


def _listed(name: str, shape: list[int], data: object) -> npt.NDArray[np.float64]:
    """Return numbers from JSON, flat or nested. What is null (some servers' NaN), text or ragged is refused."""
    try:
        values = np.asarray(data)
    except ValueError as error:
        raise RemoteFailed(f"The output {name} is ragged.") from error
    if values.dtype.kind not in "fiu":
        raise RemoteFailed(f"The output {name} does not consist of numbers.")
    if values.size != math.prod(shape):
        raise RemoteFailed(f"The output {name} has {values.size} numbers, and {math.prod(shape)} by its shape.")
    return values.astype(np.float64).reshape(shape)
