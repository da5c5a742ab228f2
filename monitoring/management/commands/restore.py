"""Put a backup back."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitoring.backup.databases import BackupFailed
from monitoring.backup.restoring import check, find, restore


class Command(BaseCommand):
    """The newest snapshot, or one by name, into an empty place."""

    help = "Restore a snapshot into an empty SLUICE_VAR or database, or only check it. Then run migrate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where, which one, and whether only to look."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--snapshot", default="", help="Its name; the newest where none is given.")
        parser.add_argument("--check", action="store_true", help="Only compare every file with its digest.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and restore where asked."""
        folder = options["folder"]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        try:
            snapshot = find(folder, options["snapshot"])
            with Progress(*columns) as bars:
                task = bars.add_task("Checking" if options["check"] else "Restoring", total=None)

                def progress(done: int, total: int) -> None:
                    bars.update(task, completed=done, total=total)

                if options["check"]:
                    number = check(folder, snapshot, progress)["files"]
                else:
                    number = restore(folder, snapshot, progress=progress)
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        words = "is whole" if options["check"] else "is back; run migrate, then start"
        self.stdout.write(f"Snapshot {snapshot.name}, {number} files: {words}.")
