"""Weights on disk: `<digest>.safetensors` with everything a runtime needs, and `<digest>.json`, the card for people.

Where photos lie in a bucket, weights lie there too, and each machine keeps what it used.

Nothing here can run code when it is read. The digest is the SHA-256 of the file, checked at every load.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_from
from safetensors.numpy import save as tensors_to

from inference.errors import ModelUnavailable

Tensors = dict[str, npt.NDArray[Any]]
DIGEST = re.compile(r"[0-9a-f]{64}")
# One key, because safetensors writes several in no fixed order, and the digest of equal weights should be equal.
SPEC = "sluice"
HEADER_LENGTH = 8


def folder() -> Path:
    """Return where weights live."""
    return Path(settings.VAR_DIR) / "models"


def path(digest: str) -> Path:
    """Return where the weights of this digest are, or would be. Raises `ModelUnavailable` for what is no digest."""
    if not DIGEST.fullmatch(digest):
        raise ModelUnavailable(f"{digest!r} is not the digest of any weights.")
    return folder() / f"{digest}.safetensors"


def store(tensors: Tensors, spec: dict[str, Any], card: dict[str, Any]) -> str:
    """Write weights, then their card, each at once or not at all; return the digest.

    `spec` is what a runtime has to know to use the tensors; it is part of the file and of the digest.
    """
    data = tensors_to({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, {SPEC: _json(spec)})
    digest = hashlib.sha256(data).hexdigest()
    _keep(path(digest), data)
    _keep(path(digest).with_suffix(".json"), _json(card | {"weights_digest": digest}, indent=2).encode())
    return digest


def load(digest: str) -> tuple[Tensors, dict[str, Any]]:
    """Return the tensors and the spec stored under `digest`. Raises `ModelUnavailable` where they are missing or changed."""
    try:
        data = _read(path(digest))
    except OSError as error:
        raise ModelUnavailable(f"The weights {digest[:12]} can't be read: {error.strerror}.") from error
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise ModelUnavailable(f"The weights {digest[:12]} were changed on disk: their digest is now {found[:12]}.")
    try:
        return tensors_from(data), _spec(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelUnavailable(f"The weights {digest[:12]} are not a model of ours: {error}.") from error


def _spec(data: bytes) -> dict[str, Any]:
    """Return our entry in the header: eight bytes of length, then JSON."""
    length = int.from_bytes(data[:HEADER_LENGTH], "little")
    spec: dict[str, Any] = json.loads(json.loads(data[HEADER_LENGTH : HEADER_LENGTH + length])["__metadata__"][SPEC])
    return spec


def _json(value: dict[str, Any], indent: int | None = None) -> str:
    return json.dumps(value, sort_keys=True, indent=indent, allow_nan=False)


def _keep(target: Path, data: bytes) -> None:
    write_whole(target, data)
    if settings.MEDIA_STORAGE_URL:
        storages["weights"].save(target.name, ContentFile(data))


def _read(target: Path) -> bytes:
    """Return a file's bytes, fetched from the bucket where another machine made it."""
    try:
        return target.read_bytes()
    except FileNotFoundError:
        if not settings.MEDIA_STORAGE_URL:
            raise
    with storages["weights"].open(target.name) as file:
        data = bytes(file.read())
    write_whole(target, data)
    return data


def write_whole(target: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of it or none, also after a power cut. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, target)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync_folder(target.parent)


def _sync_folder(place: Path) -> None:
    """The new name is durable only once its folder is."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
