"""The history of a line's policies, and one step back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway import change_control
from gateway.roles import manager_required
from monitoring.selectors import policies
from monitoring.views.answers import find_line, number_of, reason_of, refusal, user_of
from monitoring.views.requests import say_where_it_stands
from policies.errors import PolicyError
from policies.models import Line, RequestState


@require_GET
@manager_required
def line_policies(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who changed what, when and why."""
    return _render(request, find_line(slug))


@require_POST
@manager_required
def rollback(request: HttpRequest, slug: str) -> HttpResponse:
    """Go one step back, or ask for it where that automates more and others have to agree.

    409 where somebody changed the policy meanwhile, or there is nothing before.
    """
    line, expected = find_line(slug), number_of(request, "expected")
    reason = reason_of(request, f"Rollback of version {expected}")
    try:
        made = change_control.ask_back(line, expected=expected, by=user_of(request), reason=reason, now=timezone.now())
    except PolicyError as error:
        return _render(request, line, problem=refusal(error), status=error.status)
    say_where_it_stands(request, made)
    return redirect("line-policies", slug=line.slug) if made.state == RequestState.APPLIED else redirect("request", made.pk)


def _render(request: HttpRequest, line: Line, *, problem: str = "", status: int = 200) -> HttpResponse:
    history = policies.history(line, policies.names_of(policies.classes_of(line)))
    current = history[0].policy
    context = {
        "line": line,
        "history": history,
        "policy": current,
        "rollback_to": policies.rollback_target(current),
        "problem": problem,
    }
    return render(request, "monitoring/policies.html", context, status=status)
