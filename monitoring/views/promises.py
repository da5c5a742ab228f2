"""What a line promises: its limits, their proof, the thresholds in force beside the certified ones, and the audit planner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway.change_control import state_limits
from gateway.models import Role
from gateway.roles import manager_required
from inference.models import ModelVersion
from monitoring.certifying import certify_line
from monitoring.forms import percent_of
from monitoring.intervals import share
from monitoring.planning import planner_context, planner_values
from monitoring.promise_forms import LimitsForm, PlannerForm, limits_form
from monitoring.promise_page import limit_rows, threshold_rows
from monitoring.selectors import models, policies
from monitoring.selectors.promise_room import PromiseRoom, promise_room
from monitoring.trial_forms import sent_values
from monitoring.views.answers import find_line, refusal, user_of
from policies.changes import draft_of
from policies.errors import PolicyError
from policies.models import Line
from policies.modes import Mode


@require_GET
@manager_required
def line_promises(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the line promises and what is proven of it."""
    return _render(request, find_line(slug))


@require_POST
@manager_required
def save_limits(request: HttpRequest, slug: str) -> HttpResponse:
    """State the limits, and work out what they allow where a model is in service."""
    line = find_line(slug)
    form = LimitsForm(policies.classes_of(line), request.POST)
    if not form.is_valid():
        return _render(request, line, form=form, problem=" ".join(form.problems), status=422)
    try:
        limits = state_limits(line, form.promise, delta=form.delta, by=user_of(request), now=timezone.now())
    except PolicyError as error:
        return _render(request, line, form=form, problem=refusal(error), status=error.status)
    champion = models.in_service(line).get(Role.CHAMPION)
    if limits and champion is not None:
        certify_line(line, champion.model_version, by=user_of(request), now=timezone.now())
    messages.success(request, "The limits are stated." if limits else "The line promises nothing now.")
    return redirect("line-promises", slug=line.slug)


@require_POST
@manager_required
def certify(request: HttpRequest, slug: str) -> HttpResponse:
    """Work out what the audits of this moment prove about a model."""
    line = find_line(slug)
    version = _asked(line, request.POST.get("model", ""))
    if version is None:
        return _render(request, line, problem="This line has no such model to certify.", status=404)
    try:
        found = certify_line(line, version, by=user_of(request), now=timezone.now())
    except PolicyError as error:
        return _render(request, line, problem=refusal(error), status=error.status)
    proven = sum(row.certified for row in found.certificates.all())
    messages.success(request, f"{proven} of {found.certificates.count()} limits are certified for {version.name}.")
    response = redirect("line-promises", slug=line.slug)
    response["Location"] += "?" + urlencode({"model": version.name})
    return response


@require_GET
@manager_required
def planner(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the planner's table and drawing for what was typed."""
    line = find_line(slug)
    return render(request, "monitoring/_plan.html", planner_context(PlannerForm(request.GET), line.alpha))


def _render(
    request: HttpRequest, line: Line, *, form: LimitsForm | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    room = promise_room(line, timezone.now(), request.GET.get("model", "") or request.POST.get("model", ""))
    planner_form = PlannerForm(planner_values(room))
    context = {
        "line": line,
        "promises": room,
        "form": form or limits_form(line, room.classes, room.limits),
        "problem": problem,
        "rows": limit_rows(room.classes, room.limits, room.certification, room.policy, room.promise.pace, line.delta),
        "thresholds": threshold_rows(room.classes, room.sample, room.certification, room.policy) if room.sample else [],
        "automates": share(room.certification.automated, room.certification.audits) if room.certification else None,
        "confidence": percent_of(1 - line.delta),
        "may_decide": Mode(room.policy.mode).level >= Mode.PARTIAL.level,
        "use_link": _use_link(room),
        "planner_form": planner_form,
    } | planner_context(planner_form, line.alpha)
    return render(request, "monitoring/promises.html", context, status=status)


def _use_link(room: PromiseRoom) -> str:
    """Return where the certified thresholds are tried and asked for; empty where none are, or they are another model's."""
    found = room.certification
    if found is None or not found.thresholds or room.version != room.champion:
        return ""
    draft = replace(draft_of(room.policy), mode=Mode.PARTIAL, thresholds=dict(found.thresholds))
    values: dict[str, Any] = sent_values(draft, room.classes) | {"certification": found.pk}
    return f"{reverse('line-what-if', args=[room.line.slug])}?{urlencode(values)}"


def _asked(line: Line, name: str) -> ModelVersion | None:
    return next((version for version in models.to_be_judged(line) if version.name == name), None)
