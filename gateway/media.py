"""Photos by the digest of their bytes: written once, durable before anybody is told, never changed.

They lie in files of this machine, or where MEDIA_STORAGE_URL says so in a bucket under the same names. With DURABILITY=normal
files are handed to the system and not synced: they survive the program, and not a power cut.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from gateway.drafts import Draft
from gateway.errors import AGAIN, StorageFull
from gateway.syncing import Waits, sync_folder

if TYPE_CHECKING:
    # Its libraries are large: only who has a bucket loads them.
    from gateway.bucket import Bucket

# What a system says where nothing more can be written.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# Photos that are written at the same time: each holds an open file, and of those a process may have a thousand.
MOST_OPEN = 16
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
    digest = digest or digest_of(data)
    store_all([(data, digest)])
    return digest


def store_all(photos: Sequence[tuple[bytes, str]]) -> None:
    """Keep several, each with its digest, as `store` does, and share the waits for the disk."""
    elsewhere = bucket()
    if elsewhere is not None:
        for data, digest in photos:
            # Without looking first: that costs as much, and what is there may be leaving.
            elsewhere.save(name_of(digest), ContentFile(data))
        return
    try:
        for start in range(0, len(photos), MOST_OPEN):
            _keep_some(photos[start : start + MOST_OPEN])
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(AGAIN) from error
        raise


def _keep_some(photos: Sequence[tuple[bytes, str]]) -> None:
    top = f"{settings.VAR_DIR}/media"
    # Plain text instead of paths: with every photo these take longer than writing it.
    places = {f"{top}/{name_of(digest)}": data for data, digest in photos}
    try:
        _keep(top, places)
    except FileNotFoundError:
        # A folder was there once, and somebody has taken it away.
        _durable.clear()
        _keep(top, places)


def _keep(top: str, places: dict[str, bytes]) -> None:
    folders = list({os.path.dirname(path) for path in places})
    for folder in folders:
        if folder not in _durable:
            _make_folder(folder)
    durable = settings.DURABILITY == "full"
    with ExitStack() as stack:
        waits = stack.enter_context(Waits(top, durable=durable, many=len(places) > 1))
        drafts = [stack.enter_context(Draft(path, data)) for path, data in places.items() if not os.path.exists(path)]
        waits.for_files([draft.file for draft in drafts])
        for draft in drafts:
            draft.put()
        # Also of those that were there: who is storing the same bytes at this moment may not have waited for their names yet.
        waits.for_folders(folders)


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
    if settings.DURABILITY == "full":
        for above in Path(folder).parents[:2]:
            sync_folder(above)
    _durable.add(folder)
