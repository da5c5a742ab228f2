"""Starting a training: what the button, the command and the API call."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from gateway.background import wake
from policies.models import Line
from review import training
from review.models import TrainingRun
from review.tasks import run_training


def request_training(line: Line, *, by: User | None, reason: str, now: datetime) -> TrainingRun:
    """Ask for a retraining and wake the worker. Raises TrainingRuns where one has not ended."""
    run = training.request_training(line, by=by, reason=reason, now=now)
    wake(run_training, run.pk)
    return run
