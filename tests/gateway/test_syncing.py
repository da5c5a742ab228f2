"""Photos of a batch share the waits for the disk, where that is sound and short; nothing has its name before it is durable."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import media, syncing

# In folders of their own.
PHOTOS = [(data, media.digest_of(data)) for data in (b"one", b"two", b"three")]
EXT4 = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"


class Disk:
    """Notes each wait, and how many photos have their names by then."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits: list[tuple[str, int]] = []
        self.whole = True
        self._folder, self._fsync = folder, os.fsync
        monkeypatch.setattr(os, "fsync", self._one)
        monkeypatch.setattr(syncing, "sync_file_system", self._all)
        monkeypatch.setattr(syncing, "is_sound", lambda folder: True)

    def _one(self, descriptor: int) -> None:
        self.waits.append(("one", self._named()))
        self._fsync(descriptor)

    def _all(self, descriptor: int) -> bool:
        self.waits.append(("all", self._named()))
        return self.whole

    def _named(self) -> int:
        return sum(media.path_of(digest).exists() for _, digest in PHOTOS)


@pytest.fixture
def disk(media_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Disk:
    media.store_all(PHOTOS)  # so that the folders are known to be durable
    for _, digest in PHOTOS:
        media.path_of(digest).unlink()
    little = tmp_path / "meminfo"
    little.write_text("MemTotal: 9 kB\nDirty:      64 kB\nWriteback:  0 kB\n")
    monkeypatch.setattr(syncing, "MEMORY", little)
    return Disk(media_folder, monkeypatch)


def test_a_batch_waits_once_for_the_bytes_and_once_for_the_names(disk: Disk) -> None:
    media.store_all([*PHOTOS, PHOTOS[0]])
    assert disk.waits == [("all", 0), ("all", 3)]
    assert [media.load(digest) for _, digest in PHOTOS] == [data for data, _ in PHOTOS]


def test_one_photo_waits_for_itself(disk: Disk) -> None:
    media.store_all(PHOTOS[:1])
    assert disk.waits == [("one", 0), ("one", 1)]


def test_photos_that_are_there_wait_for_their_names_alone(disk: Disk) -> None:
    media.store_all(PHOTOS)
    disk.waits.clear()
    media.store_all(PHOTOS)
    assert disk.waits == [("all", 3)]


def test_where_others_have_much_to_write_nobody_waits_for_that(disk: Disk) -> None:
    syncing.MEMORY.write_text(f"Dirty: {syncing.MOST_WAITING} kB\nWriteback: 1 kB\n")
    media.store_all(PHOTOS)
    assert disk.waits == [("one", 0)] * 3 + [("one", 3)] * 3


def test_where_the_system_hides_how_much_there_is_each_waits_for_itself(disk: Disk) -> None:
    syncing.MEMORY.unlink()
    media.store_all(PHOTOS)
    assert disk.waits == [("one", 0)] * 3 + [("one", 3)] * 3


def test_a_batch_holds_only_some_files_open(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_OPEN", 2)
    media.store_all(PHOTOS)
    assert disk.waits == [("all", 0), ("all", 2), ("one", 2), ("one", 3)]


def test_what_failed_is_looked_for_file_by_file(disk: Disk) -> None:
    disk.whole = False
    media.store_all(PHOTOS)
    assert disk.waits == [("all", 0), *[("one", 0)] * 3, ("all", 3), *[("one", 3)] * 3]


def test_without_full_durability_there_is_no_wait(disk: Disk, settings: Any) -> None:
    settings.DURABILITY = "normal"
    media.store_all(PHOTOS)
    assert (disk.waits, media.load(PHOTOS[2][1])) == ([], b"three")


def test_a_crash_before_the_bytes_are_safe_leaves_nothing(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(descriptor: int) -> bool:
        raise OSError("no power")

    monkeypatch.setattr(syncing, "sync_file_system", power_cut)
    with pytest.raises(OSError, match="no power"):
        media.store_all(PHOTOS)
    assert not any(media.path_of(digest).exists() for _, digest in PHOTOS)


@pytest.mark.parametrize(
    ("mounts", "kernel", "sound"),
    [
        (EXT4, "6.1.0-17-amd64", True),
        (EXT4.replace("ext4", "xfs"), "5.17+", True),
        ("31 27 0:40 / /media/M\xfcller\u2028\x0c rw - vfat /dev/sdb rw\n" + EXT4, "6.18.44-fc", True),
        (EXT4.replace("ext4", "nfs4"), "6.1.0", False),
        (EXT4.replace("ext4", "fuse.ext4"), "6.1.0", False),
        (EXT4.replace("254:0", "254:1"), "6.1.0", False),
        (EXT4, "5.16.19", False),
        ("27 1 254:0 / / rw\n", "6.1.0", False),
        ("", "6.1.0", False),
    ],
)
def test_it_is_relied_upon_where_it_is_known_to_be_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mounts: str, kernel: str, sound: bool
) -> None:
    table = tmp_path / "mountinfo"
    table.write_bytes(mounts.encode("latin-1", "replace"))
    monkeypatch.setattr(syncing, "MOUNTS", table)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=kernel))
    monkeypatch.setattr(os, "major", lambda device: 254)
    monkeypatch.setattr(os, "minor", lambda device: 0)
    assert syncing.is_sound.__wrapped__(str(tmp_path)) is sound


def test_the_system_s_own_call_makes_a_folder_durable(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        assert syncing.sync_file_system(descriptor)
    finally:
        os.close(descriptor)
