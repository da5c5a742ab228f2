"""Photos by the digest of their bytes: written once, synced before anybody is told, never changed.

With DURABILITY=normal they are handed to the system and not synced: they survive the program, and not a power cut.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from uuid import uuid4

from django.conf import settings

# Folders whose names this process has synced, all the way up.
_durable: set[str] = set()


def digest_of(data: bytes) -> str:
    """Return the name under which these bytes are kept: SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def path_of(digest: str) -> Path:
    """Return where the bytes lie."""
    path = _place(digest)
    # Photos of earlier versions lie one folder deeper.
    deeper = path.parent / digest[2:4] / digest
    return deeper if not path.exists() and deeper.exists() else path


def _place(digest: str) -> Path:
    """Return where new bytes go. 256 folders: more of them would be made anew, and synced, with every other photo."""
    return Path(settings.VAR_DIR) / "media" / digest[:2] / digest


def store(data: bytes, digest: str = "") -> str:
    """Keep the bytes durably and return their digest, which may be given. Storing the same bytes again costs a look."""
    digest = digest or digest_of(data)
    # Plain text instead of paths: with every photo these take longer than writing it.
    folder = f"{settings.VAR_DIR}/media/{digest[:2]}"
    if os.path.exists(f"{folder}/{digest}") or os.path.exists(f"{folder}/{digest[2:4]}/{digest}"):
        # Whoever is storing the same bytes at this moment may not have synced their name yet.
        _sync_folder(path_of(digest).parent)
        return digest
    if folder not in _durable or not os.path.isdir(folder):
        _make_folder(folder)
    _write(f"{folder}/{digest}", f"{folder}/.{digest}.{uuid4().hex}", data)
    _sync_folder(folder)
    return digest


def _write(path: str, draft: str, data: bytes) -> None:
    """Write beside the place and rename, so that a crash leaves no half a photo under a whole one's name."""
    try:
        with open(draft, "xb", buffering=0) as file:
            if file.write(data) != len(data):
                raise OSError("The disk took only a part of the photo.")
            if settings.DURABILITY == "full":
                os.fsync(file.fileno())
        os.rename(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def load(digest: str) -> bytes:
    """Return the bytes; FileNotFoundError where they are not, or no longer, kept."""
    return path_of(digest).read_bytes()


def _make_folder(folder: str) -> None:
    """Make the folder and those above it; each is durable only once the one that holds it is synced.

    Those that were there are synced too, as somebody else may just have made them, but once a process.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for above in Path(folder).parents[:2]:
        _sync_folder(above)
    _durable.add(folder)


def _sync_folder(folder: str | Path) -> None:
    """A name must survive a power cut as well as the bytes, where the setting asks for that."""
    if settings.DURABILITY != "full":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
