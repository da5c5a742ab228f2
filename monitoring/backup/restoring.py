"""Putting a snapshot back into an empty place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from gateway import media
from inference import weights
from monitoring.backup import databases, files
from monitoring.backup.databases import BackupFailed
from monitoring.backup.taking import FORMAT, snapshots, sums_of

Progress = Callable[[int, int], None]


def find(folder: Path, name: str = "") -> Path:
    """Return the snapshot of that name, or the newest. Raises BackupFailed where there is none."""
    found = snapshots(folder)
    chosen = [snapshot for snapshot in found if snapshot.name == name] if name else found[-1:]
    if not chosen:
        there = ", ".join(snapshot.name for snapshot in found) or "none"
        raise BackupFailed(f"There is no snapshot {name or 'at all'} in {folder}; there is {there}.")
    return chosen[0]


def check(folder: Path, snapshot: Path, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Read every file of the snapshot and compare its digest. Raises BackupFailed with the first that differ."""
    facts: dict[str, Any] = json.loads((snapshot / "manifest.json").read_text())
    if facts.get("format") != FORMAT:
        raise BackupFailed(f"The snapshot has the format {facts.get('format')}; this version reads {FORMAT}.")
    for name, wanted in ((facts["database"], facts["database_sha256"]), ("SHA256SUMS", facts["sums_sha256"])):
        if not (snapshot / name).exists() or files.digest_of(snapshot / name) != wanted:
            raise BackupFailed(f"{name} of the snapshot {snapshot.name} is missing or damaged.")
    sums = sums_of(snapshot)
    wrong = []
    for number, (place, digest) in enumerate(sums.items(), start=1):
        path = folder / "files" / place
        if not path.exists() or files.digest_of(path) != digest:
            wrong.append(place)
        progress(number, len(sums))
    if wrong:
        raise BackupFailed(f"{len(wrong)} files of the backup are missing or damaged: {', '.join(wrong[:5])}.")
    return facts


def restore(folder: Path, snapshot: Path, *, progress: Progress = lambda done, total: None) -> int:
    """Put files and then the database into place; return how many files. Raises BackupFailed.

    The database comes last: a restore that was cut off has none yet, and can be run again.
    """
    if not databases.is_empty():
        raise BackupFailed(
            "There is a database already. Restore into an empty SLUICE_VAR (or database), or move it away first."
        )
    facts = check(folder, snapshot)
    sums = sums_of(snapshot)
    for number, (place, digest) in enumerate(sums.items(), start=1):
        target = _target(place)
        if not target.exists() or files.digest_of(target) != digest:
            with (folder / "files" / place).open("rb") as source:
                files.copy(source, target, digest)
        progress(number, len(sums))
    if (snapshot / "secret_key").exists():
        shutil.copy(snapshot / "secret_key", Path(settings.VAR_DIR) / "secret_key")
    databases.put_into_place(snapshot / facts["database"])
    return len(sums)


def _target(place: str) -> Path:
    folder, _, rest = place.partition("/")
    return weights.folder() / rest if folder == "models" else media.path_of(rest.rpartition("/")[2])
