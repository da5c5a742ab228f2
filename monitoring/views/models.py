"""The models of a line: in service, waiting, being trained; and what each is worth."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway import deployments
from gateway.errors import GatewayError
from gateway.models import Role
from gateway.roles import manager_required
from inference.models import ModelVersion
from monitoring.evaluation import facts_of, report_of
from monitoring.remote_page import elsewhere
from monitoring.selectors import models, policies
from monitoring.selectors.promises import proofs
from monitoring.views.answers import find_line, reason_of, refusal, user_of
from policies.models import Line
from review.retraining import request_training


@require_GET
@manager_required
def line_models(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the line's models and its training runs."""
    return _render(request, find_line(slug))


@require_GET
@manager_required
def model(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Show how good a model is, beside the champion of the moment it was made, and what it was made from."""
    line = find_line(slug)
    version = _find_model(line, name)
    run = models.run_of(line, version)
    names = policies.names_of(policies.classes_of(line))
    serving = models.in_service(line)
    champion = serving[Role.CHAMPION].model_version if Role.CHAMPION in serving else None
    context = {
        "line": line,
        "version": version,
        "run": run,
        "roles_now": [Role(role).label for role, row in serving.items() if row.model_version_id == version.pk],
        "card": facts_of(version.card),
        "report": report_of(run.evaluation if run else {}, version.metrics, names),
        "names": names,
        "proofs": proofs(line, version, champion),
        "elsewhere": elsewhere(version),
    }
    return render(request, "monitoring/model.html", context)


@require_GET
@manager_required
def training_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the newest training run; the part stops asking by itself when the run has ended."""
    line = find_line(slug)
    return render(request, "monitoring/_training.html", {"line": line, "run": models.latest_run(line)})


@require_POST
@manager_required
def retrain(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a new model; 409 where one is being made."""
    reason = reason_of(request, "Asked for by a manager")
    return _attempt(
        request,
        find_line(slug),
        lambda line: request_training(line, by=user_of(request), reason=reason, now=timezone.now()),
        "The training is queued. It goes on when you leave this page.",
    )


@require_POST
@manager_required
def deploy(request: HttpRequest, slug: str, name: str, role: str) -> HttpResponse:
    """Make a model challenger or champion."""
    if role not in Role.values:
        raise Http404("There is no such role.")
    found = find_line(slug)
    version, reason = _find_model(found, name), reason_of(request, f"Made {role} by a manager")
    return _attempt(
        request,
        found,
        lambda line: deployments.deploy(line, version, Role(role), by=user_of(request), reason=reason, now=timezone.now()),
        f"{version.name} is {role} from the next item on. Past decisions stay as they are.",
    )


@require_POST
@manager_required
def retire_challenger(request: HttpRequest, slug: str) -> HttpResponse:
    """End the challenger's run."""
    reason = reason_of(request, "Retired by a manager")
    return _attempt(
        request,
        find_line(slug),
        lambda line: deployments.retire_challenger(line, by=user_of(request), reason=reason, now=timezone.now()),
        "The challenger is retired.",
    )


@require_POST
@manager_required
def step_back(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the champion before this one champion again."""
    reason = reason_of(request, "One step back")
    return _attempt(
        request,
        find_line(slug),
        lambda line: deployments.step_back(line, by=user_of(request), reason=reason, now=timezone.now()),
        "The champion before is back from the next item on.",
    )


def _attempt(request: HttpRequest, line: Line, verb: Callable[[Line], object], done: str) -> HttpResponse:
    """Call the verb and go back to the models with a word on what it did, or show them with why it did not."""
    try:
        verb(line)
    except GatewayError as error:
        return _render(request, line, problem=refusal(error), status=error.status)
    messages.success(request, done)
    return redirect("line-models", slug=line.slug)


def _render(request: HttpRequest, line: Line, *, problem: str = "", status: int = 200) -> HttpResponse:
    found = models.models_of(line)
    run = found.runs[0] if found.runs else None
    return render(
        request, "monitoring/models.html", {"line": line, "models": found, "run": run, "problem": problem}, status=status
    )


def _find_model(line: Line, name: str) -> ModelVersion:
    version = models.model_of(line, name)
    if version is None:
        raise Http404("This line never had such a model.")
    return version
