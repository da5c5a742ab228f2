"""A backup holds everything that its database names, also while cameras post and photos go; a restore brings it back."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client

from gateway import leaving, media
from inference import weights
from inference.models import ModelVersion
from monitoring.backup import databases, taking
from monitoring.backup.databases import BackupFailed
from monitoring.backup.restoring import check, find, restore
from monitoring.backup.taking import prune, snapshots, sums_of, take
from policies.models import Line
from policies.modes import Mode
from review import retention
from review.datasets import freeze
from review.models import Label
from tests.conftest import Model, photo
from tests.review.people import judge

pytestmark = [
    pytest.mark.usefixtures("file_database"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="puts files into place; see test_backup_postgres"),
]
Post = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path) -> Path:
    """A folder of this test's own for what the product writes."""
    settings.VAR_DIR = tmp_path / "var"
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret_key").write_text("the secret")
    return tmp_path / "var"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backup"


@pytest.fixture
def real_weights(model: Model) -> str:
    """The champion's weights are a file."""
    digest = weights.store({"a": np.zeros(3)}, {}, {"name": "test"})
    ModelVersion.objects.update(weights_digest=digest)
    return digest


def named(snapshot: Path) -> set[str]:
    """Return what the snapshot's own database names, asked of the file itself."""
    queries = (
        "SELECT media_digest FROM gateway_item WHERE photo_deleted_at IS NULL",
        "SELECT mask_digest FROM review_label WHERE mask_digest <> ''",
        "SELECT digest FROM review_datasetversion",
    )
    with closing(sqlite3.connect(snapshot / "database.sqlite3")) as database:
        return {str(digest) for query in queries for (digest,) in database.execute(query)}


def holds(folder: Path, digest: str) -> bool:
    path = folder / "files" / "media" / media.name_of(digest)
    return path.exists() and media.digest_of(path.read_bytes()) == digest


def test_everything_that_the_database_names_is_in_it(
    folder: Path, line: Line, post: Post, ines: User, real_weights: str, now: datetime
) -> None:
    post(seed=1)
    judge(line, ines, "ok", now)
    Label.objects.update(mask_digest=media.store(b"a mask"))
    version = freeze(line, by=None, now=now)
    ModelVersion.objects.update(metrics={"deep": {"examples_digest": media.store(b"examples")}})
    taken = take(folder, now=now)
    (snapshot,) = snapshots(folder)
    digests = {media.digest_of(photo(1)), media.digest_of(b"a mask"), version.digest}
    assert named(snapshot) == digests
    assert all(holds(folder, digest) for digest in digests | {media.digest_of(b"examples")})
    assert {f"models/{real_weights}.safetensors", f"models/{real_weights}.json"} <= set(sums_of(snapshot))
    assert (taken.files, taken.copied, taken.lost) == (6, 6, ())
    assert (snapshot / "secret_key").read_text() == "the secret"
    assert (snapshot / "secret_key").stat().st_mode & 0o077 == 0


def test_a_second_one_copies_only_what_is_new(folder: Path, line: Line, post: Post, now: datetime) -> None:
    post(seed=1)
    take(folder, now=now)
    post(seed=2)
    taken = take(folder, now=now + timedelta(hours=1))
    assert (taken.files, taken.copied, len(snapshots(folder))) == (2, 1, 2)


def test_posts_and_deletions_meanwhile_do_no_harm(
    folder: Path, line: Line, post: Post, model: Model, dial: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the database's copy and that of the files: a photo comes, one is deleted, and its bytes are to go."""
    dial(Mode.FULL)
    post(seed=1, consent="false")
    post(seed=2)
    real = databases.copy_to

    def then_life_goes_on(draft: Path) -> str:
        name = real(draft)
        post(seed=3)
        assert retention.delete_unwanted(now=now + timedelta(seconds=5), most=10) == 1
        assert retention.finish(now=now + timedelta(seconds=5) + leaving.GRACE) == 0, "the backup holds it"
        return name

    monkeypatch.setattr(databases, "copy_to", then_life_goes_on)
    taken = take(folder, now=now)
    (snapshot,) = snapshots(folder)
    assert named(snapshot) == {media.digest_of(photo(seed)) for seed in (1, 2)}
    assert all(holds(folder, digest) for digest in named(snapshot))
    assert not [place for place in taken.lost if place.startswith("media")]
    assert retention.finish(now=now + timedelta(seconds=5) + leaving.GRACE) == 1, "and then lets it go"


def test_a_deletion_that_began_before_and_ended_after_the_copy(
    folder: Path, line: Line, post: Post, model: Model, dial: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It bears a time before the backup's, and the copy knows nothing of it."""
    dial(Mode.FULL)
    post(seed=1, consent="false")
    real = databases.copy_to
    monkeypatch.setattr(databases, "copy_to", lambda draft: (real(draft), retention.delete_unwanted(now=now, most=10))[0])
    take(folder, now=now + timedelta(minutes=5))
    (snapshot,) = snapshots(folder)
    assert named(snapshot) and all(holds(folder, digest) for digest in named(snapshot))


def test_while_cameras_post_all_the_time(folder: Path, line: Line, api: Client, now: datetime) -> None:
    stop, enough, sent = threading.Event(), threading.Event(), list[int]()

    def camera() -> None:
        seed = 0
        while not stop.is_set():
            seed += 1
            api.post("/api/v1/lines/phones/items", photo(seed), content_type="image/jpeg")
            sent.append(seed)
            if len(sent) >= 5:
                enough.set()
        connections.close_all()

    thread = threading.Thread(target=camera, daemon=True)
    thread.start()
    try:
        assert enough.wait(30)
        for hour in range(3):
            taken = take(folder, now=now + timedelta(hours=hour))
            assert taken.lost == ()
    finally:
        stop.set()
        thread.join(30)
    for snapshot in snapshots(folder):
        assert len(named(snapshot)) >= 5 and all(holds(folder, digest) for digest in named(snapshot))
        assert check(folder, snapshot)["lost"] == []


def test_what_is_missing_or_damaged_is_told_and_the_rest_saved(folder: Path, line: Line, post: Post, now: datetime) -> None:
    gone, damaged, good = (post(seed=seed)["photo"]["sha256"] for seed in range(3))
    media.path_of(gone).unlink()
    media.path_of(damaged).write_bytes(b"other bytes")
    with pytest.raises(CommandError, match="2 files are missing or damaged"):
        call_command("backup", folder)
    assert [holds(folder, digest) for digest in (gone, damaged, good)] == [False, False, True]
    assert len(json.loads((find(folder) / "manifest.json").read_text())["lost"]) == 2


def test_one_that_fails_leaves_no_snapshot(
    folder: Path, line: Line, post: Post, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> Any:
        raise OSError("the disk is full")

    post()
    monkeypatch.setattr(taking, "_copy_files", full)
    with pytest.raises(OSError, match="full"):
        take(folder, now=now)
    assert snapshots(folder) == [] and not leaving.is_held(now=now)


def test_old_ones_are_forgotten_with_the_files_that_only_they_knew(
    folder: Path, line: Line, post: Post, model: Model, dial: Any, now: datetime
) -> None:
    dial(Mode.FULL)
    gone = post(seed=1, consent="false")["photo"]["sha256"]
    kept = post(seed=2)["photo"]["sha256"]
    ModelVersion.objects.update(weights_digest=weights.store({"a": np.zeros(3)}, {}, {}))
    take(folder, now=now)
    retention.delete_unwanted(now=now, most=10)
    take(folder, now=now + timedelta(hours=1))
    assert prune(folder, 2) == 0
    assert prune(folder, 1) == 1
    assert (len(snapshots(folder)), holds(folder, gone), holds(folder, kept)) == (1, False, True)


@pytest.fixture
def elsewhere(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Move to an empty machine."""

    def move() -> Path:
        place = tmp_path / "elsewhere"
        place.mkdir()
        settings.VAR_DIR = place
        monkeypatch.setitem(connection.settings_dict, "NAME", str(place / "sluice.sqlite3"))
        return place

    return move


def test_a_restore_brings_everything_back(
    folder: Path, line: Line, post: Post, real_weights: str, now: datetime, elsewhere: Callable[[], Path]
) -> None:
    ids = {post(seed=seed)["id"].replace("-", "") for seed in range(3)}
    take(folder, now=now)
    place = elsewhere()
    assert restore(folder, find(folder)) == 5
    with closing(sqlite3.connect(place / "sluice.sqlite3")) as database:
        assert {str(pk) for (pk,) in database.execute("SELECT id FROM gateway_item")} == ids
    for seed in range(3):
        assert media.load(media.digest_of(photo(seed))) == photo(seed)
    assert weights.load(real_weights)[0].keys() == {"a"}
    assert (place / "secret_key").read_text() == "the secret"
    with pytest.raises(BackupFailed, match="There is a database already"):
        restore(folder, find(folder))


@pytest.mark.parametrize("what", ["a photo", "the database", "the list"])
def test_a_damaged_backup_is_not_restored(
    folder: Path, line: Line, post: Post, now: datetime, elsewhere: Callable[[], Path], what: str
) -> None:
    digest = post()["photo"]["sha256"]
    take(folder, now=now)
    broken = {
        "a photo": folder / "files" / "media" / media.name_of(digest),
        "the database": find(folder) / "database.sqlite3",
        "the list": find(folder) / "SHA256SUMS",
    }[what]
    broken.write_bytes(broken.read_bytes()[:-1])
    place = elsewhere()
    with pytest.raises(BackupFailed, match="damaged"):
        restore(folder, find(folder))
    assert not (place / "sluice.sqlite3").exists()


def test_a_restore_that_was_cut_off_can_be_run_again(
    folder: Path, line: Line, post: Post, now: datetime, elsewhere: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    take(folder, now=now)
    elsewhere()

    def power_cut(done: int, total: int) -> None:
        raise OSError("no power")

    with pytest.raises(OSError, match="no power"):
        restore(folder, find(folder), progress=power_cut)
    assert restore(folder, find(folder)) == 1


def test_the_commands_say_what_they_did(
    folder: Path, line: Line, post: Post, capsys: Any, elsewhere: Callable[[], Path]
) -> None:
    post()
    call_command("backup", folder, keep=3)
    assert "1 files, 1 of them new" in capsys.readouterr().out
    call_command("restore", folder, check=True)
    assert "is whole" in capsys.readouterr().out
    elsewhere()
    call_command("restore", folder)
    assert "is back" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is no snapshot nowhere"):
        call_command("restore", folder, snapshot="nowhere")


def test_postgresql_is_copied_by_its_own_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    facts = {"NAME": "sluice", "HOST": "db", "PORT": "5432", "USER": "ada", "PASSWORD": "hush"}
    with monkeypatch.context() as elsewhere:
        for name, value in facts.items():
            elsewhere.setitem(connection.settings_dict, name, value)
        options = {"sslmode": "verify-full", "isolation_level": 2, "options": "-c statement_timeout=60s"}
        elsewhere.setitem(connection.settings_dict, "OPTIONS", options)
        databases._run(["pg_dump", *databases._address()], run=lambda command, **more: asked.append((command, more)))

        def fails(command: list[str], **more: Any) -> Any:
            raise subprocess.CalledProcessError(1, command, stderr="no such database")

        with pytest.raises(BackupFailed, match="pg_dump failed: no such database"):
            databases._run(["pg_dump"], run=fails)
        with pytest.raises(BackupFailed, match="not installed"):
            databases._run(["pg_dump-that-nobody-has"])
    ((command, more),) = asked
    # All that the address says of the way, and no time limit: a dump takes as long as it takes.
    assert command == ["pg_dump", "--dbname=sslmode=verify-full host=db port=5432 user=ada dbname=sluice"]
    assert more["env"]["PGPASSWORD"] == "hush" and "hush" not in " ".join(command)
