"""The models of a line: in service, waiting as candidates, and in service before."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from gateway.compiled import Select, number
from gateway.models import Deployment, Role
from inference.models import ModelVersion
from inference.runtimes.oip import OpenInference
from policies.models import Line
from review.models import TrainingRun, TrainingState

RUNS_SHOWN = 30
DEPLOYMENTS_SHOWN = 50
REMOTE_SHOWN = 50
# Long, and shown on the model's own page alone.
HEAVY = ("model_version__card", "model_version__metrics")
OPEN = (TrainingState.QUEUED, TrainingState.RUNNING)

_serving = Select(
    lambda: (
        Deployment.objects.filter(line=number("line"), ended_at=None)
        .select_related("model_version", "started_by")
        .defer(*HEAVY)
        .order_by()
    )
)
_latest_run = Select(
    lambda: (
        TrainingRun.objects.filter(line=number("line"))
        .select_related("model_version")
        .defer("evaluation", *HEAVY)
        .order_by("-id")[:1]
    )
)


@dataclass(frozen=True, slots=True)
class LineModels:
    """Everything the page about models shows."""

    champion: Deployment | None
    challenger: Deployment | None
    # Trained for this line, newest first, and neither champion nor challenger now.
    candidates: tuple[TrainingRun, ...]
    history: tuple[Deployment, ...]
    runs: tuple[TrainingRun, ...]
    # Whether another model was champion before.
    can_step_back: bool
    # Those on other servers that could serve the line and don't.
    remote: tuple[ModelVersion, ...]


def in_service(line: Line) -> dict[str, Deployment]:
    """Return what serves the line now, by role, with one query."""
    return {row.role: row for row in _serving.each(line=line.pk)}


def models_of(line: Line) -> LineModels:
    """Return the line's models, with four queries at most."""
    deployed = Deployment.objects.filter(line=line).select_related("model_version", "started_by").defer(*HEAVY)
    history = list(deployed.order_by("-started_at", "-id"))
    current = {row.role: row for row in history if row.ended_at is None}
    champion, challenger = current.get(Role.CHAMPION), current.get(Role.CHALLENGER)
    runs = list(
        TrainingRun.objects.filter(line=line)
        .select_related("model_version", "dataset", "requested_by")
        .defer(*HEAVY)
        .order_by("-id")[:RUNS_SHOWN]
    )
    serving = {row.model_version_id for row in current.values()}
    return LineModels(
        champion=champion,
        challenger=challenger,
        candidates=tuple(run for run in runs if run.model_version_id and run.model_version_id not in serving),
        history=tuple(history[:DEPLOYMENTS_SHOWN]),
        runs=tuple(runs),
        can_step_back=champion is not None
        and any(row.role == Role.CHAMPION and row.model_version_id != champion.model_version_id for row in history),
        remote=tuple(version for version in _remote_that_fit(line) if version.pk not in serving),
    )


def _remote_that_fit(line: Line) -> list[ModelVersion]:
    found = ModelVersion.objects.filter(runtime=OpenInference.name, kind=line.kind).defer("card", "metrics")
    versions = list(found[:REMOTE_SHOWN])
    # Most lines have no such model, and then nobody needs to know the classes.
    known = set(line.classes.values_list("key", flat=True)) if versions else set()
    return [version for version in versions if known.issuperset(version.classes)]


def to_be_judged(line: Line) -> list[ModelVersion]:
    """Return what serves the line now and the newest model trained for it: whose certificates somebody may ask for."""
    serving = [row.model_version for row in in_service(line).values()]
    trained = TrainingRun.objects.filter(line=line, state=TrainingState.DONE, model_version__isnull=False)
    newest = trained.select_related("model_version").order_by("-id").first()
    found = {version.pk: version for version in [*serving, newest.model_version if newest else None] if version is not None}
    return list(found.values())


def open_run(line: Line) -> TrainingRun | None:
    """Return the training run that is queued or running."""
    return TrainingRun.objects.filter(line=line, state__in=OPEN).defer("evaluation").first()


def latest_run(line: Line) -> TrainingRun | None:
    """Return the newest training run, open or not."""
    return _latest_run.first(line=line.pk)


def model_of(line: Line, name: str) -> ModelVersion | None:
    """Return the model of that name where it was trained for this line or served it, or runs elsewhere and is for anybody."""
    mine = Q(deployments__line=line) | Q(training_runs__line=line) | Q(runtime=OpenInference.name, kind=line.kind)
    return ModelVersion.objects.filter(mine, name=name).distinct().first()


def run_of(line: Line, version: ModelVersion) -> TrainingRun | None:
    """Return the run that trained the model for this line."""
    runs = TrainingRun.objects.filter(line=line, model_version=version)
    return runs.select_related("dataset", "requested_by").order_by("-id").first()
