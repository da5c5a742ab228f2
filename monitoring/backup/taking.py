"""Taking a backup, and forgetting old ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from gateway import leaving
from monitoring.backup import databases, files
from monitoring.backup.names import media_named, weights_named

FORMAT = 1
# Files after which the hold on the photos is renewed: far fewer than an hour's worth.
RENEW = 200

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup holds. `lost` names the files that the database names and that were missing or damaged."""

    name: str
    files: int
    copied: int
    bytes: int
    lost: tuple[str, ...]


def take(folder: Path, *, now: datetime, progress: Progress = lambda done, total: None) -> Taken:
    """Add a snapshot to the backup folder, while everything runs. Raises BackupFailed; then no snapshot was added."""
    # Before the database is copied: from here on no photo goes that the copy names.
    hold = leaving.hold(f"backup-{os.getpid()}")
    name = f"{now.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"
    draft = folder / "snapshots" / f".{name}"
    try:
        draft.mkdir(parents=True, mode=0o700)
        database = databases.copy_to(draft)
        taken, sums = _copy_files(folder, name, now, hold, progress)
        (draft / "SHA256SUMS").write_text("".join(f"{digest}  {place}\n" for place, digest in sums.items()))
        _keep_secret(draft)
        _write_manifest(draft, database, taken, now)
        # From one moment to the next there is a whole snapshot, or none.
        draft.rename(folder / "snapshots" / name)
    finally:
        hold.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
    return taken


def snapshots(folder: Path) -> list[Path]:
    """Return the whole snapshots, oldest first."""
    found = (folder / "snapshots").glob("*/manifest.json")
    return sorted(path.parent for path in found if not path.parent.name.startswith("."))


def prune(folder: Path, keep: int) -> int:
    """Forget all but the newest `keep` snapshots, and the files that none of those names; return how many files went.

    A photo that was deleted on purpose leaves the backup with the last snapshot that knows it.
    """
    old, kept = snapshots(folder)[:-keep], snapshots(folder)[-keep:]
    for snapshot in old:
        shutil.rmtree(snapshot)
    named = {place for snapshot in kept for place in sums_of(snapshot)}
    root, gone = folder / "files", 0
    for path in root.rglob("*"):
        if path.is_file() and str(path.relative_to(root)) not in named:
            path.unlink()
            gone += 1
    return gone


def sums_of(snapshot: Path) -> dict[str, str]:
    """Return the digest of every file of a snapshot by its place below `files`."""
    rows = (row.split("  ", 1) for row in (snapshot / "SHA256SUMS").read_text().splitlines())
    return {place: digest for digest, place in rows}


def _copy_files(folder: Path, name: str, now: datetime, hold: Path, progress: Progress) -> tuple[Taken, dict[str, str]]:
    # A deletion that was under way may bear an earlier time; until the grace is over its bytes are still there.
    wanted = list(files.sources(media_named(since=now - leaving.GRACE), weights_named()))
    sums: dict[str, str] = {}
    lost: list[str] = []
    copied = size = 0
    for number, (place, digest) in enumerate(wanted, start=1):
        target = folder / "files" / place
        # What has its digest in its name never changes: it was checked when it came.
        if digest and target.exists():
            sums[place] = digest
        else:
            try:
                with files.open_live(place) as source:
                    sums[place] = files.copy(source, target, digest)
                copied, size = copied + 1, size + target.stat().st_size
            except (FileNotFoundError, files.Damaged):
                lost.append(place)
        if number % RENEW == 0:
            hold.touch()
        progress(number, len(wanted))
    return Taken(name, len(sums), copied, size, tuple(lost)), sums


def _keep_secret(draft: Path) -> None:
    """With it sessions and whatever else was signed stay valid; where it comes by environment there is none to keep."""
    secret = Path(settings.VAR_DIR) / "secret_key"
    if secret.exists():
        shutil.copy(secret, draft / "secret_key")
        (draft / "secret_key").chmod(0o600)


def _write_manifest(draft: Path, database: str, taken: Taken, now: datetime) -> None:
    facts = {
        "format": FORMAT,
        "taken_at": now.isoformat(),
        "database": database,
        "database_sha256": files.digest_of(draft / database),
        "sums_sha256": files.digest_of(draft / "SHA256SUMS"),
        "files": taken.files,
        "lost": list(taken.lost),
    }
    (draft / "manifest.json").write_text(json.dumps(facts, indent=2) + "\n")
