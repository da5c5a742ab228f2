"""Trying a policy on the line's past, and asking for it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway import change_control
from gateway.roles import manager_required
from monitoring.forms import PolicyForm
from monitoring.selectors.flips import flipped_items
from monitoring.selectors.policies import classes_of
from monitoring.trial_forms import AskForm, TrialForm, trial_form
from monitoring.trial_page import trial_context
from monitoring.trials import trial
from monitoring.views.answers import find_line, refusal, user_of
from monitoring.views.requests import say_where_it_stands
from policies.changes import Draft, check_against, draft_of
from policies.errors import PolicyError
from policies.models import Line


@require_GET
@manager_required
def what_if(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a draft would have done; without one, the certified thresholds or the policy in force."""
    line = find_line(slug)
    if "mode" not in request.GET:
        return _render(request, line, None)
    form = TrialForm(classes_of(line), request.GET)
    if not form.is_valid():
        return _render(request, line, None, form=form, problem=" ".join(form.problems), status=422)
    try:
        check_against(line, form.draft)
    except PolicyError as error:
        return _render(request, line, None, form=form, problem=refusal(error), status=error.status)
    return _render(request, line, form.draft, form=form)


@require_POST
@manager_required
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the draft that was tried, with what it was found to do frozen into the request."""
    line = find_line(slug)
    form = AskForm(classes_of(line), request.POST)
    if not form.is_valid():
        return _render(request, line, None, form=form, problem=" ".join(form.problems), status=422)
    now = timezone.now()
    try:
        check_against(line, form.draft)
        found = trial(line, form.draft, now=now)
        if form.draft == draft_of(found.policy):
            problem = "The policy in force says the same already."
            return _render(request, line, form.draft, form=form, problem=problem, status=422)
        made = change_control.ask(
            line,
            form.draft,
            expected=form.cleaned_data["expected"],
            by=user_of(request),
            reason=form.cleaned_data["reason"],
            certification=found.certification,
            evidence=found.evidence,
            apply_at=form.cleaned_data["apply_at"],
            expires_at=form.cleaned_data["expires_at"],
            now=now,
        )
    except PolicyError as error:
        return _render(request, line, form.draft, form=form, problem=refusal(error), status=error.status)
    say_where_it_stands(request, made)
    return redirect("request", made.pk)


def _render(
    request: HttpRequest,
    line: Line,
    draft: Draft | None,
    *,
    form: PolicyForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    found = trial(line, draft, now=timezone.now())
    context = trial_context(found, form or trial_form(found.draft, found.classes))
    flips = flipped_items(found.evidence, user_of(request))
    return render(request, "monitoring/what_if.html", context | {"flips": flips, "problem": problem}, status=status)
