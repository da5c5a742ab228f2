"""Copying files with their digests: what arrives is what was there, or it is said."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gateway import media
from inference import weights

CHUNK = 1 << 20


class Damaged(Exception):
    """A file's bytes are not those of its digest."""


def place_of(digest: str) -> str:
    """Return where a file of the media store lies in a backup."""
    return f"media/{media.name_of(digest)}"


def sources(media_digests: set[str], weights_digests: set[str]) -> Iterator[tuple[str, str]]:
    """Yield every file to copy: its place in the backup and its SHA-256, empty for a card, which has none in its name."""
    for digest in sorted(media_digests):
        yield place_of(digest), digest
    for digest in sorted(weights_digests):
        main = weights.path(digest)
        yield f"models/{main.name}", digest
        # Its card, and whatever else a runtime keeps beside it.
        for path in sorted(weights.folder().glob(f"{digest}.*")):
            if path != main:
                yield f"models/{path.name}", ""


def open_live(place: str) -> BinaryIO:
    """Open the running system's file of this place; FileNotFoundError where it is missing."""
    folder, _, rest = place.partition("/")
    return (weights.folder() / rest).open("rb") if folder == "models" else media.open_file(rest.rpartition("/")[2])


def copy(source: BinaryIO, target: Path, expected: str) -> str:
    """Copy to `target` all at once or not at all, and return the SHA-256. Raises Damaged where it is not the expected one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    digest = hashlib.sha256()
    try:
        with draft.open("wb") as out:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if expected and digest.hexdigest() != expected:
            raise Damaged(f"{target.name} has other bytes than its digest says.")
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
