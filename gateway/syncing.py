"""Waiting until files and the names in their folders survive a power cut: each by itself, or many with one wait.

`syncfs` makes durable whatever was written on a file system, so that a batch of photos waits twice instead of twice a photo. It
waits for what others have written there too, and not every file system does what it says: it is used where it is known to be
sound, and where little waits to be written.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from types import TracebackType

# Those on which it waits for the disk, as it does not on every network's and user's file system.
SOUND = frozenset({b"ext4", b"xfs"})
# Before this kernel it did not tell of every failure: of a page since 5.8, of what names are written with since 5.17.
TELLS = (5, 17)
# Kilobytes that wait to be written anywhere on the machine: with more, a backup's perhaps, a photo would wait for those.
MOST_WAITING = 32 * 1024
MOUNTS, MEMORY = Path("/proc/self/mountinfo"), Path("/proc/meminfo")


class Waits(AbstractContextManager["Waits"]):
    """The waits for files in and below a folder. It begins before they are written, as only later failures are told."""

    def __init__(self, folder: str, *, durable: bool, many: bool) -> None:
        self._durable = durable
        self._around = os.open(folder, os.O_RDONLY) if durable and many and is_sound(folder) else None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._around is not None:
            os.close(self._around)

    def for_files(self, descriptors: Sequence[int]) -> None:
        """Wait until what was written to these files is durable."""
        if self._durable and not self._for_all(len(descriptors)):
            for descriptor in descriptors:
                os.fsync(descriptor)

    def for_folders(self, folders: Sequence[str]) -> None:
        """Wait until the names in these folders are durable."""
        if self._durable and not self._for_all(len(folders)):
            for folder in folders:
                sync_folder(folder)

    def _for_all(self, count: int) -> bool:
        """Wait for everything, where that is less than `count` waits. What failed shows with the file that it failed for."""
        return self._around is not None and count > 1 and _waiting() <= MOST_WAITING and sync_file_system(self._around)


def sync_folder(folder: str | Path) -> None:
    """Wait until the names in the folder are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(descriptor: int) -> bool:
    """Wait for everything on the file system of an open file; False where something could not be written."""
    return bool(_library().syncfs(descriptor) == 0)


@cache
def is_sound(folder: str) -> bool:
    """Return whether `sync_file_system` can be relied upon there."""
    if sys.platform != "linux" or not hasattr(_library(), "syncfs") or _kernel() < TELLS:
        return False
    device = Path(folder).stat().st_dev
    number = b"%d:%d" % (os.major(device), os.minor(device))
    # Names of folders may be in any encoding. After a dash come type and source, before it a number of optional fields.
    rows = (line.partition(b" - ") for line in _lines(MOUNTS))
    return any(before.split()[2:3] == [number] and not SOUND.isdisjoint(after.split()[:1]) for before, _, after in rows)


def _waiting() -> int:
    """Return the kilobytes that wait to be written, or are being written; too many where nobody says so."""
    found = [int(line.split()[1]) for line in _lines(MEMORY) if line.startswith((b"Dirty:", b"Writeback:"))]
    return sum(found) if found else MOST_WAITING + 1


def _lines(file: Path) -> list[bytes]:
    """Return the lines of a file that the system may hide."""
    try:
        return file.read_bytes().split(b"\n")
    except OSError:
        return []


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
