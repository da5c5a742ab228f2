"""Photos by the digest of their bytes: written once, synced before anybody is told, never changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings

# Folders whose names this process has synced, all the way up.
_durable: set[Path] = set()


def digest_of(data: bytes) -> str:
    """Return the name under which these bytes are kept: SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def path_of(digest: str) -> Path:
    """Return where the bytes lie; two levels of folders keep each of them small."""
    return Path(settings.VAR_DIR) / "media" / digest[:2] / digest[2:4] / digest


def store(data: bytes) -> str:
    """Keep the bytes durably and return their digest. Storing the same bytes again costs a look."""
    digest = digest_of(data)
    path = path_of(digest)
    if path.exists():
        # Whoever is storing the same bytes at this moment may not have synced their name yet.
        _sync_folder(path.parent)
        return digest
    _make_folder(path.parent)
    # Written beside its place and renamed, so that a crash leaves no half a photo under a whole one's name.
    draft = path.with_name(f".{digest}.{uuid4().hex}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync_folder(path.parent)
    return digest


def load(digest: str) -> bytes:
    """Return the bytes; FileNotFoundError where they are not, or no longer, kept."""
    with open_file(digest) as file:
        return file.read()


def open_file(digest: str) -> BinaryIO:
    """Open the file for reading; one that was set aside (`gateway.leaving`) can be read until it is gone."""
    # Its place is looked at twice, as it may be coming back.
    for path in (path_of(digest), aside_of(digest)):
        try:
            return path.open("rb")
        except FileNotFoundError:
            continue
    return path_of(digest).open("rb")


def aside_of(digest: str) -> Path:
    """Return where the bytes lie while they are leaving."""
    return Path(settings.VAR_DIR) / "media" / "aside" / digest


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it; each is durable only once the one that holds it is synced.

    Those that were there are synced too, as somebody else may just have made them, but once a process.
    """
    if folder in _durable and folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for above in folder.parents[:3]:
        _sync_folder(above)
    _durable.add(folder)


def _sync_folder(folder: Path) -> None:
    # The rename itself must survive a power cut as well.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
