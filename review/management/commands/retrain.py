"""Train a line's model again."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from gateway.background import wake
from policies.models import Line
from review.errors import TrainingRuns
from review.models import TrainingRun, TrainingState
from review.tasks import run_training
from review.training import request_training, work_on


class Command(BaseCommand):
    """Have the worker train, and watch it."""

    help = "Train a candidate from the line's labels. The worker does it; with --here this process does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which line, and where."""
        parser.add_argument("line")
        parser.add_argument("--here", action="store_true", help="Train in this process, without a worker.")
        parser.add_argument("--reason", default="Asked for on the command line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the run and follow it to its end."""
        line = Line.objects.filter(slug=options["line"]).first()
        if line is None:
            raise CommandError(f"There is no line {options['line']!r}.")
        try:
            run = request_training(line, by=None, reason=options["reason"], now=timezone.now())
        except TrainingRuns as error:
            raise CommandError(error.detail) from error
        with bar(f"Training {line.slug}") as progress:
            show = shower(progress)
            run = work_on(run, report=show) if options["here"] else self._follow(run, show)
        if run.state != TrainingState.DONE or run.model_version is None:
            raise CommandError(f"The training failed: {run.error}")
        self.stdout.write(f"{run.model_version.name} is a candidate now; promote it on the line's model page.")

    def _follow(self, run: TrainingRun, show: Callable[[float, str], None]) -> TrainingRun:
        if not wake(run_training, run.pk):
            self.stderr.write("The broker cannot be reached: the run waits for a worker. Ctrl-C, then --here, trains without.")
        while run.state in {TrainingState.QUEUED, TrainingState.RUNNING}:
            show(run.progress, run.stage)
            time.sleep(0.5)
            run.refresh_from_db()
        return run


def bar(description: str) -> Progress:
    """Return a progress bar for one training."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    progress.add_task(description, total=1.0, stage="")
    return progress


def shower(progress: Progress) -> Callable[[float, str], None]:
    """Return what moves the bar."""
    return lambda share, stage: progress.update(progress.task_ids[0], completed=share, stage=stage)
