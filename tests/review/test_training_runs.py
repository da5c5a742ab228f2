"""A training run from the request to a candidate; what learns and what measures is played by stand-ins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway import deployments, media
from gateway.models import Event, Role
from inference import evaluation, runtimes
from inference.errors import ModelUnavailable
from inference.examples import Example, NotEnoughLabels, Trained
from inference.models import ModelVersion
from policies.models import Line
from review import datasets, training
from review.datasets import rows_of
from review.errors import TrainingRuns
from review.models import Label, TrainingRun, TrainingState
from review.training import LOST_AFTER, MOST_ATTEMPTS, MOST_WEIGHT, request_training, waiting_runs, work_on
from tests.conftest import CLASSES, version
from tests.review.people import arrive, judge


class Teacher:
    """Stands at the seam between review and inference: notes what it was given, does what the test says."""

    def __init__(self) -> None:
        self.examples: Sequence[Example] = ()
        self.seeds: list[int] = []
        self.measured: list[tuple[str, list[str]]] = []
        self.fails: Exception | None = None
        self.meanwhile = lambda: None

    def train(self, kind: str, examples: Sequence[Example], classes: Sequence[str], *, seed: int, **more: Any) -> Trained:
        self.examples = examples
        self.seeds.append(seed)
        more["progress"](0.5, "Half of it")
        self.meanwhile()
        if self.fails:
            raise self.fails
        return Trained("ab" * 32, {"kind": kind}, kind, "torch", tuple(classes))

    def load(self, version: Any) -> str:
        return version.weights_digest

    def evaluate(self, predictor: str, examples: Sequence[Example], classes: Sequence[str], progress: Any, **more: Any) -> Any:
        progress(1.0, "measured")
        self.measured.append((predictor, [one.digest for one in examples]))
        said = [{"digest": one.digest, "truth": one.answer, "probabilities": {"by": predictor[:2]}} for one in examples]
        return {"n": len(examples), "by": predictor[:2], "examples": said}


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch) -> Teacher:
    """The one stand-in for training, loading and measuring."""
    stand_in = Teacher()
    monkeypatch.setattr(training, "train", stand_in.train)
    monkeypatch.setattr(runtimes, "load", stand_in.load)
    monkeypatch.setattr(evaluation, "evaluate", stand_in.evaluate)
    return stand_in


@pytest.fixture
def labelled(line: Line, ines: User, now: datetime) -> Line:
    """A line with half a dozen labels."""
    arrive(line, 6, now=now)
    for place in range(6):
        judge(line, ines, CLASSES[place % 3], now)
    return line


def requested(line: Line, now: datetime) -> TrainingRun:
    return request_training(line, by=None, reason="test", now=now)


def test_a_run_ends_with_a_candidate_measured_beside_the_champion(
    labelled: Line, teacher: Teacher, ines: User, now: datetime
) -> None:
    champion = version()
    deployments.deploy(labelled, champion, Role.CHAMPION, by=None, reason="test", now=now)
    told: list[tuple[float, str]] = []

    run = work_on(
        request_training(labelled, by=ines, reason="a test", now=now), report=lambda share, stage: told.append((share, stage))
    )

    assert (run.state, run.progress, run.attempt, run.error) == (TrainingState.DONE, 1.0, 1, "")
    assert run.dataset is not None and run.model_version is not None and run.ended_at is not None
    made = run.model_version
    assert (made.weights_digest, made.dataset_digest, made.classes) == ("ab" * 32, run.dataset.digest, list(CLASSES))
    assert made.metrics["by"] == "ab"
    test = [row["photo"] for row in rows_of(run.dataset) if row["split"] == "test"]
    assert teacher.measured == [("ab" * 32, test), (champion.weights_digest, test)], "both on the same test split"
    assert run.evaluation == {
        "champion_name": champion.name,
        "test_digest": media.digest_of("\n".join(sorted(test)).encode()),
        "champion": {"n": len(test), "by": "00", "examples_digest": run.evaluation["champion"]["examples_digest"]},
        "candidate": {"n": len(test), "by": "ab", "examples_digest": run.evaluation["candidate"]["examples_digest"]},
    }
    assert deployments.champion(labelled) == champion, "a candidate serves nobody before a manager says so"
    assert [share for share, _ in told] == sorted(share for share, _ in told) and told[0][0] == 0
    assert {"Freezing the labels", "Half of it", "Measuring the candidate", "Measuring the champion"} <= {s for _, s in told}
    kinds = list(Event.objects.filter(kind__startswith="training.").values_list("kind", "actor"))
    assert kinds == [
        ("training.requested", "user:ines"),
        ("training.started", "system:training"),
        ("training.done", "system:training"),
    ]


def test_what_was_said_of_each_example_is_kept_outside_of_the_rows(
    labelled: Line, teacher: Teacher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metrics are read with every model; they do not grow with the test split."""
    monkeypatch.setattr(datasets, "split_of", lambda *what: "test")
    deployments.deploy(labelled, version(), Role.CHAMPION, by=None, reason="test", now=now)
    run = work_on(requested(labelled, now))
    assert run.model_version is not None and set(run.model_version.metrics) == {"n", "by", "examples_digest"}
    for name, by in (("candidate", "ab"), ("champion", "00")):
        kept = json.loads(media.load(run.evaluation[name]["examples_digest"]))
        assert len(kept) == 6 and [one["digest"] for one in kept] == teacher.measured[0][1]
        assert all(one["probabilities"] == {"by": by} for one in kept)
    assert run.model_version.metrics == run.evaluation["candidate"]


def test_without_a_champion_only_the_candidate_is_measured(labelled: Line, teacher: Teacher, now: datetime) -> None:
    run = work_on(requested(labelled, now))
    assert (run.evaluation["champion"], run.evaluation["champion_name"], len(teacher.measured)) == (None, None, 1)


def test_progress_is_kept_in_the_row_while_it_runs(labelled: Line, teacher: Teacher, now: datetime) -> None:
    seen: list[TrainingRun] = []
    teacher.meanwhile = lambda: seen.append(TrainingRun.objects.get())
    work_on(requested(labelled, now))
    assert (seen[0].state, seen[0].stage) == (TrainingState.RUNNING, "Freezing the labels")
    assert seen[0].heartbeat_at is not None


def test_labels_that_were_drawn_count_for_those_that_were_not(labelled: Line, teacher: Teacher, now: datetime) -> None:
    for sequence, probability in ((1, 0.25), (2, 0.0001), (3, None)):
        Label.objects.filter(sequence=sequence).update(inclusion_probability=probability)
    run = work_on(requested(labelled, now))
    weight_of = {one.digest: one.weight for one in teacher.examples}
    by_sequence = {row["sequence"]: weight_of[row["photo"]] for row in rows_of(run.dataset)}
    assert [by_sequence[place] for place in (1, 2, 3, 4)] == [4.0, MOST_WEIGHT, 1.0, 1.0]
    assert teacher.seeds == [run.dataset.number]


def test_boxes_reach_the_training(line: Line, teacher: Teacher, ines: User, now: datetime) -> None:
    arrive(line, now=now, stored=True)
    judge(line, ines, "dent", now, regions=[{"label": "dent", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}])
    work_on(requested(line, now))
    (example,) = teacher.examples
    (box,) = example.boxes
    assert (box.label, box.x, box.y, box.width, box.height, example.mask) == ("dent", 0.1, 0.2, 0.3, 0.4, None)
    assert example.read().startswith(b"photo")


@pytest.mark.parametrize(
    "error", [NotEnoughLabels("It takes 5 of each class."), ModelUnavailable("It takes weights."), FileNotFoundError("gone")]
)
def test_what_can_be_foreseen_fails_with_its_reason_and_leaves_the_line_alone(
    labelled: Line, teacher: Teacher, now: datetime, error: Exception
) -> None:
    champion = version()
    deployments.deploy(labelled, champion, Role.CHAMPION, by=None, reason="test", now=now)
    teacher.fails = error
    run = work_on(requested(labelled, now))
    assert (run.state, run.error, run.model_version) == (TrainingState.FAILED, str(error), None)
    assert run.ended_at is not None
    assert deployments.champion(labelled) == champion and ModelVersion.objects.count() == 1
    assert Event.objects.get(kind="training.failed").reason == str(error)
    assert requested(labelled, now).state == TrainingState.QUEUED, "the way is free for another try"


def test_a_line_without_labels_fails_and_says_so(line: Line, teacher: Teacher, now: datetime) -> None:
    run = work_on(requested(line, now))
    assert (run.state, teacher.seeds) == (TrainingState.FAILED, [])
    assert "Nobody has labelled anything" in run.error


def test_one_run_a_line_at_a_time(labelled: Line, other_line: Line, teacher: Teacher, now: datetime) -> None:
    run = requested(labelled, now)
    with pytest.raises(TrainingRuns) as refused:
        requested(labelled, now)
    assert refused.value.status == 409
    assert requested(other_line, now).line == other_line
    work_on(run)
    assert requested(labelled, now).pk != run.pk


def test_a_run_that_somebody_works_on_is_left_to_them(labelled: Line, teacher: Teacher, now: datetime) -> None:
    run = requested(labelled, now)
    teacher.meanwhile = lambda: work_on(TrainingRun.objects.get(pk=run.pk))
    assert work_on(run).state == TrainingState.DONE
    assert len(teacher.seeds) == 1
    work_on(run)
    assert (len(teacher.seeds), ModelVersion.objects.count()) == (1, 1), "a message that comes twice does nothing"


def test_a_lost_worker_is_replaced(labelled: Line, teacher: Teacher, now: datetime) -> None:
    run = requested(labelled, now)
    TrainingRun.objects.update(state=TrainingState.RUNNING, attempt=1, heartbeat_at=now - LOST_AFTER - timedelta(seconds=1))
    assert waiting_runs(now=now) == [run]
    assert work_on(run).state == TrainingState.DONE
    assert TrainingRun.objects.get().attempt == 2


def test_a_worker_whose_heart_beats_is_not(labelled: Line, teacher: Teacher, now: datetime) -> None:
    run = requested(labelled, now)
    TrainingRun.objects.update(state=TrainingState.RUNNING, attempt=1, heartbeat_at=now - LOST_AFTER / 2)
    assert waiting_runs(now=now) == []
    work_on(run)
    assert teacher.seeds == []


def test_after_three_lost_workers_it_is_given_up(labelled: Line, teacher: Teacher, now: datetime) -> None:
    run = requested(labelled, now)
    for attempt in range(MOST_ATTEMPTS):
        teacher.fails = KeyboardInterrupt()  # the process was told to end
        with pytest.raises(KeyboardInterrupt):
            work_on(TrainingRun.objects.get())
        assert TrainingRun.objects.get().attempt == attempt + 1
        TrainingRun.objects.update(heartbeat_at=now - LOST_AFTER - timedelta(seconds=1))
    work_on(run)
    run.refresh_from_db()
    assert (run.state, run.error) == (TrainingState.FAILED, "The worker was lost 3 times.")
    assert (len(teacher.seeds), waiting_runs(now=now)) == (MOST_ATTEMPTS, [])
    assert Event.objects.filter(kind="training.failed", reason=run.error).count() == 1


def test_a_worker_that_comes_back_after_it_was_replaced_changes_nothing(
    labelled: Line, teacher: Teacher, now: datetime
) -> None:
    """It wakes up when another worker already has the run: the other one's candidate counts."""
    run = requested(labelled, now)

    def replaced() -> None:
        TrainingRun.objects.update(heartbeat_at=now - LOST_AFTER - timedelta(seconds=1))
        teacher.meanwhile = lambda: None
        work_on(TrainingRun.objects.get())

    teacher.meanwhile = replaced
    run = work_on(run)
    assert (run.state, run.attempt, len(teacher.seeds)) == (TrainingState.DONE, 2, 2)
    assert ModelVersion.objects.get() == run.model_version, "no second candidate without a run"
    assert Event.objects.filter(kind="training.done").count() == 1


@pytest.mark.parametrize("fails", [None, NotEnoughLabels("too few")])
def test_a_worker_that_comes_back_while_another_trains_leaves_the_run_to_it(
    labelled: Line, teacher: Teacher, now: datetime, fails: Exception | None
) -> None:
    run, teacher.fails = requested(labelled, now), fails
    teacher.meanwhile = lambda: TrainingRun.objects.update(attempt=2, heartbeat_at=now, stage="Theirs")
    run = work_on(run)
    assert (run.state, run.attempt, run.stage, run.heartbeat_at) == (TrainingState.RUNNING, 2, "Theirs", now)
    assert not ModelVersion.objects.exists()


def test_a_champion_that_cannot_be_loaded_does_not_cost_the_candidate(
    labelled: Line, teacher: Teacher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments.deploy(labelled, version("gone"), Role.CHAMPION, by=None, reason="test", now=now)

    def load(asked: Any) -> str:
        if getattr(asked, "name", "") == "gone":
            raise ModelUnavailable("its weights are missing")
        return asked.weights_digest

    monkeypatch.setattr(runtimes, "load", load)
    run = work_on(requested(labelled, now))
    assert run.state == TrainingState.DONE
    assert (run.evaluation["champion_name"], run.evaluation["champion"]) == ("gone", None)
