"""Photos by the digest of their bytes: written once, durable before anybody is told, never changed.

They lie in files of this machine, or where MEDIA_STORAGE_URL says so in a bucket under the same names. With DURABILITY=normal
files are handed to the system and not synced: they survive the program, and not a power cut.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from gateway.errors import AGAIN, StorageFull

if TYPE_CHECKING:
    # Its libraries are large: only who has a bucket loads them.
    from gateway.bucket import Bucket

# What a system says where nothing more can be written.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# Folders whose names this process has synced, all the way up.
_durable: set[str] = set()


def digest_of(data: bytes) -> str:
    """Return the name under which these bytes are kept: SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def name_of(digest: str) -> str:
    """Return the name under which the bytes lie.

    256 folders: more of them would be made anew, and synced, with every other photo.
    """
    return f"{digest[:2]}/{digest}"


def aside_name_of(digest: str) -> str:
    """Return the name under which the bytes lie while they are leaving."""
    return f"aside/{digest}"


def path_of(digest: str) -> Path:
    """Return the file in which the bytes lie where they lie on this machine."""
    return Path(settings.VAR_DIR) / "media" / name_of(digest)


def bucket() -> Bucket | None:
    """Return the storage elsewhere; None where photos are files of this machine."""
    return cast("Bucket", storages["photos"]) if settings.MEDIA_STORAGE_URL else None


def store(data: bytes, digest: str = "") -> str:
    """Keep the bytes durably and return their digest, which may be given. Storing the same bytes again costs a look.

    Raises StorageFull where there is no room for them.
    """
    digest, elsewhere = digest or digest_of(data), bucket()
    if elsewhere is not None:
        # Without looking first: that costs as much, and what is there may be leaving.
        elsewhere.save(name_of(digest), ContentFile(data))
        return digest
    try:
        _keep(data, digest)
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(AGAIN) from error
        raise
    return digest


def _keep(data: bytes, digest: str) -> None:
    # Plain text instead of paths: with every photo these take longer than writing it.
    path = f"{settings.VAR_DIR}/media/{name_of(digest)}"
    folder = os.path.dirname(path)
    # Whoever is storing the same bytes at this moment may not have synced their name yet.
    if not os.path.exists(path):
        if folder not in _durable or not os.path.isdir(folder):
            _make_folder(folder)
        _write(path, f"{folder}/.{digest}.{uuid4().hex}", data)
    _sync_folder(folder)


def _write(path: str, draft: str, data: bytes) -> None:
    """Write beside the place and rename, so that a crash leaves no half a photo under a whole one's name."""
    try:
        with open(draft, "xb", buffering=0) as file:
            if file.write(data) != len(data):
                raise OSError(errno.ENOSPC, "The disk took only a part of the photo.")
            if settings.DURABILITY == "full":
                os.fsync(file.fileno())
        os.rename(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def load(digest: str) -> bytes:
    """Return the bytes; FileNotFoundError where they are not, or no longer, kept."""
    with open_file(digest) as file:
        return file.read()


def open_file(digest: str) -> BinaryIO:
    """Open the file for reading; one that was set aside (`gateway.leaving`) can be read until it is gone."""
    # Its place is looked at twice, as it may be coming back.
    for name in (name_of(digest), aside_name_of(digest)):
        try:
            return _open(name)
        except FileNotFoundError:
            continue
    # What came before there was a bucket is still here.
    return path_of(digest).open("rb")


def _open(name: str) -> BinaryIO:
    elsewhere = bucket()
    if elsewhere is None:
        return (Path(settings.VAR_DIR) / "media" / name).open("rb")
    with elsewhere.open(name) as file:
        return io.BytesIO(file.read())


def aside_of(digest: str) -> Path:
    """Return where the bytes lie while they are leaving."""
    return Path(settings.VAR_DIR) / "media" / aside_name_of(digest)


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
