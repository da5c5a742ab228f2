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
# A file without a name, where the system has that; and what it says where not. Without the flag a folder can't be written.
NAMELESS = getattr(os, "O_TMPFILE", 0)
NAMELESS_UNKNOWN = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})
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
    if folder not in _durable:
        _make_folder(folder)
    # Whoever is storing the same bytes at this moment may not have synced their name yet.
    if not os.path.exists(path):
        try:
            _write(path, folder, data)
        except FileNotFoundError:
            # The folder was there once, and somebody has taken it away.
            _make_folder(folder)
            _write(path, folder, data)
    _sync_folder(folder)


def _write(path: str, folder: str, data: bytes) -> None:
    """Write a file without a name, and name it once it is whole: a crash leaves no half a photo, and nothing to sweep up."""
    try:
        # In the one folder above: a file system looks for room near the folder it is told, and 256 of them are far apart.
        file = os.open(os.path.dirname(folder), os.O_WRONLY | NAMELESS, 0o666)
    except OSError as error:
        if error.errno not in NAMELESS_UNKNOWN:
            raise
        _write_beside(path, f"{folder}/.{os.path.basename(path)}.{uuid4().hex}", data)
        return
    try:
        _fill(file, data)
        # The folder of the source is looked at for no other path than a relative one, and makes Python follow the link.
        os.link(f"/proc/self/fd/{file}", path, src_dir_fd=file, follow_symlinks=True)
    except FileExistsError:
        pass  # somebody has stored the same bytes meanwhile
    finally:
        os.close(file)


def _write_beside(path: str, draft: str, data: bytes) -> None:
    """The same where every file has a name (network file systems, other systems than Linux): write beside, then rename."""
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _fill(file, data)
        os.rename(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _fill(file: int, data: bytes) -> None:
    if os.write(file, data) != len(data):
        raise OSError(errno.ENOSPC, "The disk took only a part of the photo.")
    if settings.DURABILITY == "full":
        os.fsync(file)


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
