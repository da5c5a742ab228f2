"""Which model serves which line: the one home of promoting, challenging and going back."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from gateway.compiled import Select, number, text
from gateway.errors import ModelDoesNotFit, MovedMeanwhile, NothingDeployed
from gateway.events import actor_of, event
from gateway.models import Deployment, Role
from gateway.standing import Standing
from inference.models import ModelVersion
from policies.locks import hold_line
from policies.models import Line


def champion(line: Line) -> ModelVersion | None:
    """Return the model whose predictions route the line's items."""
    return _serving(line, Role.CHAMPION)


def challenger(line: Line) -> ModelVersion | None:
    """Return the model that scores the line's items beside the champion, seen by nobody who judges."""
    return _serving(line, Role.CHALLENGER)


@transaction.atomic
def deploy(line: Line, version: ModelVersion, role: Role, *, by: User | None, reason: str, now: datetime) -> Deployment:
    """Let `version` serve the line in `role` from the next item on; what served in it before ends."""
    check_fit(line, version)
    hold_line(line)
    current = _current(line, role)
    if current is not None and current.model_version_id == version.pk:
        return current
    if role is Role.CHALLENGER and champion(line) == version:
        raise ModelDoesNotFit(f"{version.name} is the champion: it has nobody to challenge.")
    if role is Role.CHAMPION and challenger(line) == version:
        # A challenger that becomes champion has nobody left to challenge.
        retire_challenger(line, by=by, reason="became champion", now=now)
    if _end(line, role, now=now) != (current is not None):
        raise MovedMeanwhile("Somebody else has put another model into service.")
    try:
        with transaction.atomic():
            deployment = Deployment.objects.create(
                line=line, model_version=version, role=role, started_at=now, started_by=by, reason=reason[:500]
            )
    except IntegrityError:
        raise MovedMeanwhile("Somebody else has put another model into service.") from None
    event(
        f"model.{role.value}",
        line=line,
        actor=actor_of(by),
        now=now,
        from_state=current.model_version.name if current else "",
        to_state=version.name,
        reason=reason,
    ).save(force_insert=True)
    return deployment


@transaction.atomic
def retire_challenger(line: Line, *, by: User | None, reason: str, now: datetime) -> None:
    """End the challenger's shadow run. Raises NothingDeployed where there is none."""
    hold_line(line)
    current = _current(line, Role.CHALLENGER)
    if current is None or _end(line, Role.CHALLENGER, now=now) != 1:
        raise NothingDeployed("The line has no challenger.")
    event("model.retired", line=line, actor=actor_of(by), now=now, from_state=current.model_version.name, reason=reason).save(
        force_insert=True
    )


def step_back(line: Line, *, by: User | None, reason: str, now: datetime) -> Deployment:
    """Make the champion before the present one champion again. Raises NothingDeployed where there was none.

    "Before" goes by when a model first became champion: a second step goes further back, and not forward again.
    """
    current = _current(line, Role.CHAMPION)
    champions = Deployment.objects.filter(line=line, role=Role.CHAMPION).order_by("id")
    first = champions.filter(model_version=current.model_version_id).first() if current is not None else None
    earlier = champions.filter(pk__lt=first.pk).exclude(model_version=first.model_version_id) if first is not None else None
    previous = earlier.select_related("model_version").last() if earlier is not None else None
    if previous is None:
        raise NothingDeployed("No other model was champion of this line before.")
    return deploy(line, previous.model_version, Role.CHAMPION, by=by, reason=reason, now=now)


def check_fit(line: Line, version: ModelVersion) -> None:
    """Raise ModelDoesNotFit where the model could give answers that the line does not have."""
    if version.kind != line.kind:
        raise ModelDoesNotFit(f"{version.name} looks at {version.kind}; the line {line.slug} is of the kind {line.kind}.")
    unknown = sorted(set(version.classes) - set(line.classes.values_list("key", flat=True)))
    if unknown:
        raise ModelDoesNotFit(f"{version.name} can answer {', '.join(unknown)}, which the line {line.slug} does not have.")


def _serving(line: Line, role: Role) -> ModelVersion | None:
    return _standing.get((line.pk, role.value))[0]  # type: ignore[index]  # there is always a tuple


def _in_role() -> QuerySet[ModelVersion]:
    serving = {"deployments__line_id": number("line"), "deployments__role": text("role"), "deployments__ended_at": None}
    # Asked for with every item: what is long and only read on the model's page is left where it is.
    return ModelVersion.objects.filter(**serving).defer("card", "metrics").order_by()


_versions = Select(_in_role)
# In a tuple: that there is no challenger stands as well.
_standing: Standing[tuple[int, str], tuple[ModelVersion | None]] = Standing(
    lambda key: (_versions.first(line=key[0], role=key[1]),)
)


def _current(line: Line, role: Role) -> Deployment | None:
    current = Deployment.objects.select_related("model_version").filter(line=line, role=role, ended_at=None)
    # Asked for with every item: what is long and only read on the model's page is left where it is.
    return current.defer("model_version__card", "model_version__metrics").first()


def _end(line: Line, role: Role, *, now: datetime) -> int:
    return Deployment.objects.filter(line=line, role=role, ended_at=None).update(ended_at=now)
