"""Back everything up, while it runs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitoring.backup.databases import BackupFailed
from monitoring.backup.taking import prune, take


class Command(BaseCommand):
    """A snapshot of the database, and the files that it names."""

    help = "Add a snapshot to a backup folder. Only files that are not there yet are copied. Nothing has to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and how many to keep."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keep", type=int, metavar="N", help="Then forget all but the newest N snapshots.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it, prune where asked, say what it holds; exit 1 where a file was lost before it could be saved."""
        keep = options["keep"]
        if keep is not None and keep < 1:
            raise CommandError("--keep must be at least 1.")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        try:
            with Progress(*columns) as bars:
                task = bars.add_task("Copying files", total=None)
                taken = take(
                    options["folder"],
                    now=timezone.now(),
                    progress=lambda done, total: bars.update(task, completed=done, total=total),
                )
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        gone = prune(options["folder"], keep) if keep else 0
        self.stdout.write(
            f"Snapshot {taken.name}: {taken.files} files, {taken.copied} of them new ({taken.bytes / 1e6:.1f} MB)"
            + (f", {gone} forgotten." if keep else ".")
        )
        if taken.lost:
            raise CommandError(f"{len(taken.lost)} files are missing or damaged where they live: {', '.join(taken.lost[:5])}.")
