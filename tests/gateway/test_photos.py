"""Photos and thumbnails are for people who are logged in."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import drafts, media
from gateway.errors import StorageFull
from tests.conftest import photo

Login = Callable[[User], Client]


@pytest.mark.parametrize("what", ["photo", "thumbnail"])
def test_nobody_sees_them_without_a_login(post: Callable[..., Any], line: Any, api: Client, what: str) -> None:
    url = f"/items/{post()['id']}/{what}"
    for client in (Client(), api):
        response = client.get(url)
        assert (response.status_code, response["Location"]) == (302, f"/login/?next={url}")


@pytest.mark.parametrize("what", ["photo", "thumbnail"])
def test_a_browser_may_keep_them_and_nobody_on_the_way(
    post: Callable[..., Any], line: Any, charlie: User, login: Login, what: str
) -> None:
    response = login(charlie).get(f"/items/{post()['id']}/{what}")
    assert response["Cache-Control"] == "private, max-age=86400, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.getvalue()


def test_the_photo_comes_as_it_was_sent(post: Callable[..., Any], line: Any, ines: User, login: Login) -> None:
    response = login(ines).get(f"/items/{post(seed=4)['id']}/photo")
    assert (b"".join(response.streaming_content), response["Content-Type"]) == (photo(4), "image/jpeg")


@pytest.mark.parametrize("what", ["photo", "thumbnail"])
def test_what_is_not_there_is_not_found(
    post: Callable[..., Any], line: Any, ines: User, login: Login, media_folder: Any, what: str
) -> None:
    body = post()
    assert login(ines).get(f"/items/{uuid4()}/{what}").status_code == 404
    media.path_of(body["photo"]["sha256"]).unlink()
    assert login(ines).get(f"/items/{body['id']}/{what}").status_code == 404


def test_storing_twice_writes_once(media_folder: Any) -> None:
    digest = media.store(b"bytes")
    written = media.path_of(digest).stat()
    assert media.store(b"bytes") == digest
    assert media.path_of(digest).stat().st_mtime_ns == written.st_mtime_ns
    assert media.load(digest) == b"bytes"


def test_a_crash_while_storing_leaves_no_half_a_photo(media_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes before the bytes are safe: nothing lies under the photo's name, and a retry stores it whole."""

    def power_cut(descriptor: int) -> None:
        raise OSError("no power")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", power_cut)
        with pytest.raises(OSError, match="no power"):
            media.store(b"bytes")
    assert not media.path_of(media.digest_of(b"bytes")).exists()
    assert media.load(media.store(b"bytes")) == b"bytes"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is synced, in order."""
    names: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        names.append(path.name if path.is_dir() else "the file")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def test_the_bytes_and_their_name_are_synced_before_anybody_is_told(media_folder: Path, synced: list[str]) -> None:
    first, second = _two_names_of_one_folder()
    digest = media.store(first)
    folder = digest[:2]
    assert synced == ["media", "var", "the file", folder], "every new folder's name, then the file, then its own name"
    synced.clear()
    media.store(second)
    assert synced == ["the file", folder], "what is known to be durable costs nothing more"


def test_what_somebody_else_is_just_storing_is_made_durable_too(media_folder: Path, synced: list[str]) -> None:
    """Their file is in its place, and their sync of its name yet to come."""
    digest = media.digest_of(b"bytes")
    media.path_of(digest).parent.mkdir(parents=True)
    media.path_of(digest).write_bytes(b"bytes")
    assert media.store(b"bytes") == digest
    # The folder's own name may be as new.
    assert synced == ["media", "var", digest[:2]]


def test_folders_that_somebody_else_just_made_are_made_durable_too(media_folder: Path, synced: list[str]) -> None:
    digest = media.digest_of(b"bytes")
    media.path_of(digest).parent.mkdir(parents=True)
    media.store(b"bytes")
    assert synced == ["media", "var", "the file", digest[:2]]


def test_without_full_durability_nothing_is_synced(media_folder: Path, synced: list[str], settings: Any) -> None:
    settings.DURABILITY = "normal"
    assert media.load(media.store(b"bytes")) == b"bytes"
    assert synced == []


def test_where_every_file_has_a_name_a_photo_gets_its_own_once_it_is_whole(
    media_folder: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on network file systems, and on other systems than Linux."""
    monkeypatch.setattr(drafts, "NAMELESS", 0)
    digest = media.store(b"bytes")
    assert media.load(digest) == b"bytes"
    assert [one.name for one in media.path_of(digest).parent.iterdir()] == [digest]
    assert synced[-2:] == ["the file", digest[:2]]


def test_a_photo_that_does_not_fit_leaves_nothing_behind(media_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    media._durable.add(str(media.path_of(media.digest_of(b"bytes")).parent))
    media.path_of(media.digest_of(b"bytes")).parent.mkdir(parents=True)
    with pytest.raises(OSError, match="no space"):
        media.store(b"bytes")
    assert [path for path in media_folder.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_told_also_where_a_folder_has_to_be_made_again(
    media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    shutil.rmtree(media.path_of(media.store(b"bytes")).parent)
    monkeypatch.setattr(media, "_make_folder", full)
    with pytest.raises(StorageFull):
        media.store(b"bytes")


def test_a_folder_that_was_taken_away_is_made_again(media_folder: Path) -> None:
    shutil.rmtree(media.path_of(media.store(b"bytes")).parent)
    assert media.load(media.store(b"bytes")) == b"bytes"


def _two_names_of_one_folder() -> tuple[bytes, bytes]:
    """Return two contents that are kept in the same folder."""
    seen: dict[Path, bytes] = {}
    for number in range(100_000):
        data = str(number).encode()
        other = seen.setdefault(media.path_of(media.digest_of(data)).parent, data)
        if other != data:
            return other, data
    raise LookupError("no two in a hundred thousand")


def test_a_photo_that_was_damaged_on_disk_has_no_thumbnail(
    post: Callable[..., Any], line: Any, ines: User, login: Login, media_folder: Any
) -> None:
    body = post()
    media.path_of(body["photo"]["sha256"]).write_bytes(photo()[:-20])
    assert login(ines).get(f"/items/{body['id']}/thumbnail").status_code == 404
