"""What has to be known to ask a model elsewhere. It is stored and digested where another model has its weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import quote, urlsplit

from inference.remote.errors import ManifestRefused

PROTOCOL = "oip-v2"
# Bytes of one number.
DATATYPES = {"UINT8": 1, "FP16": 2, "FP32": 4}
LAYOUTS = ("NHWC", "NCHW")
ORDERS = ("RGB", "BGR")
ACTIVATIONS = ("none", "softmax", "sigmoid")
LARGEST_SIDE = 1024
LARGEST_BATCH = 64
# A name in a URL that needs no care, and nothing that walks up a path.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A model elsewhere and how to talk to it. Construction checks it. Raises `ManifestRefused`.

    A number that is sent is `(pixel * scale - mean[channel]) / std[channel]`, with the channels in the order in which they are
    sent; UINT8 sends the pixel itself. `served_version` is the version that the server said it answers with, "" where it says
    none: an answer of another one is refused. `most` is the largest batch. `token_env` names the environment variable with a
    bearer token, so that no secret is stored here.
    """

    url: str
    model: str
    input_name: str
    output_name: str
    classes: tuple[str, ...]
    version: str = ""
    served_version: str = ""
    datatype: str = "FP32"
    layout: str = "NHWC"
    height: int = 224
    width: int = 224
    order: str = "RGB"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    activation: str = "none"
    heatmap_name: str = ""
    binary: bool = False
    most: int = 8
    token_env: str = ""

    def __post_init__(self) -> None:
        _check_address(self)
        _check_tensors(self)
        _check_numbers(self)
        if self.activation == "sigmoid" and len(self.classes) != 2:
            raise ManifestRefused(f"A sigmoid gives one number for two classes, and there are {len(self.classes)}.")
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes) or not all(self.classes):
            raise ManifestRefused("The classes are at least two different names, the negative first.")

    @property
    def path(self) -> str:
        """Return the address of the model, without what is asked of it."""
        version = f"/versions/{quote(self.version, safe='')}" if self.version else ""
        return f"/v2/models/{quote(self.model, safe='')}{version}"

    def as_spec(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"protocol": PROTOCOL} | {key: _plain(value) for key, value in asdict(self).items()}


def parse(spec: Mapping[str, Any]) -> Manifest:
    """Return the manifest in `spec`. Raises `ManifestRefused`, also for a part that is not known here."""
    if spec.get("protocol") != PROTOCOL:
        raise ManifestRefused(f"It is no manifest for {PROTOCOL}.")
    values = {key: _frozen(value) for key, value in spec.items() if key != "protocol"}
    unknown = sorted(values.keys() - {field.name for field in fields(Manifest)})
    if unknown:
        raise ManifestRefused(f"It has parts that are not known here: {', '.join(unknown)}.")
    try:
        return Manifest(**values)
    except TypeError as error:
        raise ManifestRefused(f"It is not complete: {error}.") from error


def _check_address(given: Manifest) -> None:
    try:
        address = urlsplit(given.url)
        port = address.port
    except ValueError as error:
        raise ManifestRefused(f"The URL cannot be read: {error}.") from error
    if address.scheme not in {"http", "https"} or not address.hostname or port == 0:
        raise ManifestRefused("The URL begins with http:// or https:// and names a host.")
    if address.username is not None or address.password is not None:
        raise ManifestRefused("The URL holds a name or password: put a bearer token into an environment variable instead.")
    if address.query or address.fragment or not given.url.isascii() or not given.url.isprintable() or " " in given.url:
        raise ManifestRefused("The URL is the plain base address of the server, without query, fragment or blanks.")
    for what, name in (("model", given.model), ("version", given.version or "1")):
        if not NAME.fullmatch(name):
            raise ManifestRefused(f"{name!r} is no name for a {what}: letters, digits and _ . : - only.")
    if not VARIABLE.fullmatch(given.token_env):
        raise ManifestRefused(f"{given.token_env!r} is no name for an environment variable.")


def _check_tensors(given: Manifest) -> None:
    for what, value, known in (
        ("datatype", given.datatype, tuple(DATATYPES)),
        ("layout", given.layout, LAYOUTS),
        ("order", given.order, ORDERS),
        ("activation", given.activation, ACTIVATIONS),
    ):
        if value not in known:
            raise ManifestRefused(f"The {what} is one of {', '.join(known)}, not {value!r}.")
    if not given.input_name or not given.output_name:
        raise ManifestRefused("Input and output tensors have names.")
    if given.datatype == "FP16" and not given.binary:
        raise ManifestRefused("FP16 has no form in JSON: it needs the binary extension.")
    for what, number, largest in (
        ("height", given.height, LARGEST_SIDE),
        ("width", given.width, LARGEST_SIDE),
        ("largest batch", given.most, LARGEST_BATCH),
    ):
        if not 1 <= number <= largest:
            raise ManifestRefused(f"The {what} is 1 to {largest}, not {number}.")


def _check_numbers(given: Manifest) -> None:
    if len(given.mean) != 3 or len(given.std) != 3:
        raise ManifestRefused("Mean and std have three numbers, one a channel.")
    if not all(map(math.isfinite, (given.scale, *given.mean, *given.std))) or not all(given.std):
        raise ManifestRefused("Scale, mean and std are finite, and std is not 0.")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
