"""Set the demo up."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from gateway import deployments
from monitoring.demo import seeding


class Command(BaseCommand):
    """People, line, labels, model; whatever is there already stays."""

    help = "Set up the demo line with a first real model. Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is left to do, with a bar for what takes long."""
        seeding.seed_people()
        line = seeding.seed_line()
        seeding.seed_token(line)
        columns = (TextColumn("{task.description:<28}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        if deployments.champion(line) is None:
            with Progress(*columns, TextColumn("{task.fields[stage]}")) as bars:
                rendering = bars.add_task("Rendering labelled phones", total=seeding.TRAINING_PHONES, stage="")
                folder = seeding.render_training_phones(lambda done: bars.advance(rendering, done))
                importing = bars.add_task("Importing them", total=seeding.TRAINING_PHONES, stage="")
                seeding.import_training_phones(line, folder, lambda done: bars.advance(importing, done))
                training = bars.add_task("Training the first model", total=1.0, stage="")
                run = seeding.train_first_model(line, lambda share, stage: bars.update(training, completed=share, stage=stage))
            if run is not None and run.model_version is None:
                raise CommandError(f"The first model could not be trained: {run.error}")
        seeding.open_line(line)
        with Progress(*columns) as bars:
            sending = bars.add_task("The first phones", total=None)
            seeding.send_first_phones(line, lambda done: bars.advance(sending, done))
