"""From the labels of a line to a candidate model: the one home of a training run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from gateway import deployments, media
from gateway.events import actor_of, event
from gateway.limits import photo_limits
from inference import evaluation, runtimes
from inference.errors import InputRefused, ModelUnavailable
from inference.examples import Example, NotEnoughLabels
from inference.models import ModelVersion
from inference.predictions import Region
from inference.runtimes.base import Weighted
from inference.training import create_version, train
from policies.models import Line
from review.datasets import freeze, rows_of
from review.errors import NothingLabelled, TrainingRuns
from review.models import DatasetVersion, LabelSource, TrainingRun, TrainingState

logger = logging.getLogger(__name__)

# A run whose heartbeat is older than this has lost its worker and is taken up again, so many times at most.
LOST_AFTER = timedelta(minutes=3)
MOST_ATTEMPTS = 3
# A label that stands for this many others at most: rarer ones would make the training shake.
MOST_WEIGHT = 20.0
# Share of the work: training, then the measuring of candidate and champion.
TRAINING_SHARE = 0.85

Report = Callable[[float, str], None]


def request_training(line: Line, *, by: User | None, reason: str, now: datetime) -> TrainingRun:
    """Ask for a retraining. Raises TrainingRuns where one has not ended; the database sees to that."""
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(line=line, reason=reason[:200], requested_by=by, created_at=now, stage="Waiting")
            event("training.requested", line=line, actor=actor_of(by), now=now, to_state="queued", reason=reason).save(
                force_insert=True
            )
    except IntegrityError:
        raise TrainingRuns(f"A training of the line {line.slug} has not ended yet.") from None
    return run


def waiting_runs(*, now: datetime) -> list[TrainingRun]:
    """Return the runs that nobody works on: queued ones, and those whose worker was lost."""
    lost = Q(state=TrainingState.RUNNING, heartbeat_at__lt=now - LOST_AFTER)
    return list(TrainingRun.objects.filter(Q(state=TrainingState.QUEUED) | lost).order_by("id"))


def training_runs(*, now: datetime) -> QuerySet[TrainingRun]:
    """Return the runs that a living worker is at."""
    return TrainingRun.objects.filter(state=TrainingState.RUNNING, heartbeat_at__gte=now - LOST_AFTER)


def work_on(run: TrainingRun, *, report: Report | None = None) -> TrainingRun:
    """Do a run to its end. Two workers may be told of the same run; the database lets one of them have it."""
    if not _begin(run, now=timezone.now()):
        return run
    try:
        _train(run, report or (lambda share, stage: None))
    except (NotEnoughLabels, NothingLabelled, InputRefused, ModelUnavailable, FileNotFoundError) as error:
        logger.warning("training run %d of %s failed: %s", run.pk, run.line.slug, error)
        _end(run, TrainingState.FAILED, error=str(error))
    run.refresh_from_db()
    return run


def examples_of(dataset: DatasetVersion) -> list[Example]:
    """Return the dataset as training takes it; photos are read when they are needed."""
    return [_example(row) for row in rows_of(dataset)]


def _train(run: TrainingRun, report: Report) -> None:
    line = run.line
    report = _reporter(run, report)
    report(0.0, "Freezing the labels")
    dataset = freeze(line, by=run.requested_by, now=timezone.now())
    examples = examples_of(dataset)
    classes = list(line.classes.order_by("position").values_list("key", flat=True))
    trained = train(
        line.kind,
        examples,
        classes,
        seed=dataset.number,
        progress=lambda share, stage: report(share * TRAINING_SHARE, stage),
        limits=photo_limits(),
    )
    # What a person said after seeing the champion's prediction cannot judge the champion, nor its rival.
    test = [_example(row) for row in rows_of(dataset) if row["split"] == "test" and may_judge(row)]
    champion = deployments.champion(line)
    measure = partial(_measure, report, test, classes)
    evaluation_of: dict[str, Any] = {
        # What both were measured on, in one word.
        "test_digest": media.digest_of("\n".join(sorted(example.digest for example in test)).encode()),
        "candidate": measure(trained, "candidate", 0),
        "champion_name": champion.name if champion else None,
        "champion": _measure_champion(champion, measure),
    }
    with transaction.atomic():
        version = create_version(trained, evaluation_of["candidate"], dataset.digest)
        if not _end(run, TrainingState.DONE, dataset=dataset, model_version=version, evaluation=evaluation_of):
            # Thought lost, and somebody else has the run now: theirs is the candidate.
            transaction.set_rollback(True)


def _measure(
    report: Report, test: Sequence[Example], classes: Sequence[str], version: Weighted, name: str, place: int
) -> dict[str, Any]:
    """Measure a model on the test split; `place` 0 or 1 says which half of the measuring it is.

    What it said of each example is kept like a photo: the metrics go into rows that are read often, and name it by digest.
    """
    share = (1 - TRAINING_SHARE) / 2
    progress = partial(_part, report, TRAINING_SHARE + place * share, share, f"Measuring the {name}")
    found = evaluation.evaluate(runtimes.load(version), test, classes, progress, limits=photo_limits())
    examples = found.pop("examples")
    return found | {"examples_digest": media.store(json.dumps(examples).encode())}


def _measure_champion(champion: ModelVersion | None, measure: Callable[..., dict[str, Any]]) -> dict[str, Any] | None:
    """Measure the champion beside the candidate. One that cannot be loaded must not cost the new model its training."""
    if champion is None:
        return None
    try:
        return measure(champion, "champion", 1)
    except ModelUnavailable as error:
        logger.warning("the champion %s could not be measured: %s", champion.name, error)
        return None


def _begin(run: TrainingRun, *, now: datetime) -> bool:
    """Compare-and-set the run to running; a lost run is begun again as long as it has attempts left."""
    free = Q(state=TrainingState.QUEUED) | Q(state=TrainingState.RUNNING, heartbeat_at__lt=now - LOST_AFTER)
    mine = TrainingRun.objects.filter(free, pk=run.pk, attempt__lt=MOST_ATTEMPTS)
    with transaction.atomic():
        if mine.update(state=TrainingState.RUNNING, heartbeat_at=now, attempt=F("attempt") + 1, stage="Starting") == 1:
            # The attempt is the fence: a worker that was thought lost and comes back writes nothing more.
            run.refresh_from_db(fields=["state", "attempt"])
            event("training.started", line=run.line, actor="system:training", now=now, to_state=f"attempt {run.attempt}").save(
                force_insert=True
            )
            return True
    given_up = TrainingRun.objects.filter(free, pk=run.pk, attempt__gte=MOST_ATTEMPTS)
    _end(run, TrainingState.FAILED, of=given_up, error=f"The worker was lost {MOST_ATTEMPTS} times.")
    return False


def _end(
    run: TrainingRun, state: TrainingState, *, of: QuerySet[TrainingRun] | None = None, error: str = "", **columns: Any
) -> bool:
    """Compare-and-set the run to its end; False where it is no longer this worker's."""
    now = timezone.now()
    with transaction.atomic():
        running = _mine(run) if of is None else of
        stage = "Done" if state == TrainingState.DONE else "Failed"
        ended = running.update(state=state, ended_at=now, error=error, stage=stage, progress=1.0, **columns) == 1
        if ended:
            version: ModelVersion | None = columns.get("model_version")
            event(
                f"training.{state.value}",
                line=run.line,
                actor="system:training",
                now=now,
                from_state="running",
                to_state=version.name if version else state.value,
                reason=error,
            ).save(force_insert=True)
    return ended


def _mine(run: TrainingRun) -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(pk=run.pk, state=TrainingState.RUNNING, attempt=run.attempt)


def _reporter(run: TrainingRun, report: Report) -> Report:
    """Return a reporter that keeps the run's row alive, at most twice a second, and passes on what it is told."""
    last: list[datetime] = []

    def tell(share: float, stage: str) -> None:
        now = timezone.now()
        if not last or now - last[-1] > timedelta(seconds=0.5):
            last[:] = [now]
            _mine(run).update(progress=share, stage=stage[:200], heartbeat_at=now)
        report(share, stage)

    return tell


def _part(report: Report, start: float, length: float, stage: str, share: float, detail: str) -> None:
    report(start + share * length, stage)


def may_judge(row: dict[str, Any]) -> bool:
    """Return whether a row of a dataset may measure a model: judged blind, or labelled before any model was here."""
    return bool(row["blind"]) or row["source"] == LabelSource.IMPORT


def _example(row: dict[str, Any]) -> Example:
    probability = row["inclusion_probability"]
    return Example(
        digest=row["photo"],
        answer=row["answer"],
        split=row["split"],
        read=partial(media.load, row["photo"]),
        mask=partial(media.load, row["mask"]) if row["mask"] else None,
        boxes=tuple(_region(one) for one in row["regions"]),
        weight=min(1 / probability, MOST_WEIGHT) if probability else 1.0,
    )


def _region(one: dict[str, Any]) -> Region:
    return Region(one["label"], one["x"], one["y"], one["width"], one["height"], 1.0)
