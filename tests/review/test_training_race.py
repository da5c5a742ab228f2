"""Two workers, one run, a real database file."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest

from inference.examples import NotEnoughLabels
from policies.models import Line
from review import training
from review.errors import TrainingRuns
from review.models import TrainingRun, TrainingState
from review.training import request_training, work_on
from tests.races import race
from tests.review.people import arrive, judge

pytestmark = pytest.mark.usefixtures("file_database")


def test_many_who_ask_at_once_get_one_run(line: Line, now: datetime) -> None:
    results = race(*(lambda: request_training(line, by=None, reason="race", now=now) for _ in range(4)))
    assert sum(isinstance(one, TrainingRun) for one in results) == 1
    assert sum(isinstance(one, TrainingRuns) for one in results) == 3, results


def test_two_workers_told_of_the_same_run_train_once(
    line: Line, ines: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(line, now=now)
    judge(line, ines, "ok", now)
    run, began = request_training(line, by=None, reason="race", now=now), []

    def train(*given: Any, **more: Any) -> None:
        began.append(threading.get_ident())
        raise NotEnoughLabels("a stand-in")

    monkeypatch.setattr(training, "train", train)
    results = race(*(lambda: work_on(TrainingRun.objects.select_related("line").get(pk=run.pk)) for _ in range(4)))
    assert not [one for one in results if isinstance(one, Exception)], results
    assert len(began) == 1
    assert TrainingRun.objects.get().state == TrainingState.FAILED
