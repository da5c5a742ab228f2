"""Bring in an existing labelled folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.errors import GatewayError
from policies.changes import Draft
from policies.errors import PolicyError
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode
from review.importing import find_classes, find_photos, import_photos


class Command(BaseCommand):
    """A folder a class; a .png beside a photo of the same name is its mask."""

    help = "Import a folder of labelled photos into a line. Running it again goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The line, the folder, and how to read it."""
        parser.add_argument("line", help="Slug of the line; it is made, in human-only mode, where it does not exist.")
        parser.add_argument("folder", type=Path)
        parser.add_argument("--negative", help="Name of the folder of good ones; ok, good, free and the like are found.")
        parser.add_argument("--id-pattern", help="Regular expression over file names whose first group names the unit.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, import, and say what happened."""
        try:
            classes = find_classes(options["folder"], options["negative"])
            line = _line(options["line"], classes)
            photos = find_photos(options["folder"], classes, options["id_pattern"])
            with Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            ) as progress:
                task = progress.add_task(f"Importing into {line.slug}", total=len(photos))
                done = import_photos(line, photos, actor="import", progress=lambda count: progress.advance(task, count))
        except (GatewayError, PolicyError) as error:
            raise CommandError(error.detail) from error
        for sentence in done.refused:
            self.stderr.write(sentence)
        self.stdout.write(f"{done.added} photos imported, {done.known} were there already, {len(done.refused)} refused.")


def _line(slug: str, classes: list[str]) -> Line:
    line = Line.objects.filter(slug=slug).first()
    if line is not None:
        return line
    drafts = [ClassDraft(key=name, name=name.replace("_", " ").capitalize()) for name in classes]
    return create_line(
        slug,
        slug.replace("-", " ").capitalize(),
        "Is there a defect?",
        drafts,
        Draft(mode=Mode.HUMAN_ONLY),
        now=timezone.now(),
        reason="Made by import_folder",
    )
