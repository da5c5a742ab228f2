"""Changes that are asked for: the line's list, one of them, and the moves."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway import change_control
from gateway.roles import manager_required
from monitoring.evidence import comparison
from monitoring.selectors.flips import flipped_items
from monitoring.selectors.policies import classes_of, names_of, negative_of
from monitoring.selectors.requests import requests_of, standing, with_all
from monitoring.trials import is_certified, trial
from monitoring.views.answers import find_line, refusal, user_of
from policies.errors import PolicyError
from policies.models import ChangeRequest, RequestState
from policies.requests import draft_from_json

TITLES = {"present": "In force then", "draft": "This change", "certified": "Certified then"}
LONGEST = 500


@require_GET
@manager_required
def line_requests(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what waits, what is planned and what is over."""
    line = find_line(slug)
    context = {"line": line, "requests": requests_of(line, classes_of(line))}
    return render(request, "monitoring/requests.html", context)


@require_GET
@manager_required
def one_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show one request: what it changes, why, what was known, who agreed."""
    return _render(request, request_id)


@require_POST
@manager_required
def move(request: HttpRequest, request_id: int, verb: str) -> HttpResponse:
    """Make a move: 409 where the request is no longer where it was, 403 where the move is somebody else's."""
    change = get_object_or_404(ChangeRequest.objects.select_related("line", "base"), pk=request_id)
    if verb not in MOVES:
        raise Http404
    try:
        moved = MOVES[verb](request, change)
    except PolicyError as error:
        return _render(request, request_id, problem=refusal(error), status=error.status)
    say_where_it_stands(request, moved)
    return redirect("request", moved.pk)


def say_where_it_stands(request: HttpRequest, change: ChangeRequest) -> None:
    """Tell the person who moved a request what has become of it."""
    if change.state == RequestState.APPLIED and change.result is not None:
        number, restores = change.result.number, change.result.restores
        words = f": it restores version {restores.number}" if restores else " from the next item on"
        messages.success(request, f"Version {number} is in force{words}.")
    elif change.state == RequestState.OPEN:
        missing = change.approvals_needed - change.given.count()
        who = "one more person agrees" if missing == 1 else f"{missing} more people agree"
        messages.info(request, f"Nothing has changed yet: request {change.pk} waits until {who}.")
    elif change.state == RequestState.STALE:
        messages.error(request, f"Nothing was changed. {change.note}")
    else:
        messages.success(request, f"Request {change.pk}: {change.get_state_display().lower()}.")


def _approve(request: HttpRequest, change: ChangeRequest) -> ChangeRequest:
    comment = request.POST.get("comment", "").strip()[:LONGEST]
    return change_control.approve(change, by=user_of(request), comment=comment, now=timezone.now())


def _reject(request: HttpRequest, change: ChangeRequest) -> ChangeRequest:
    return change_control.reject(change, by=user_of(request), note=request.POST.get("note", ""), now=timezone.now())


def _withdraw(request: HttpRequest, change: ChangeRequest) -> ChangeRequest:
    return change_control.withdraw(change, by=user_of(request), now=timezone.now())


def _renew(request: HttpRequest, change: ChangeRequest) -> ChangeRequest:
    """The past has grown and the present has changed, so that the evidence is taken anew."""
    now = timezone.now()
    found = trial(change.line, draft_from_json(change.draft), now=now)
    return change_control.renew(
        change, by=user_of(request), certification=found.certification, evidence=found.evidence, now=now
    )


MOVES: dict[str, Callable[[HttpRequest, ChangeRequest], ChangeRequest]] = {
    "approve": _approve,
    "reject": _reject,
    "withdraw": _withdraw,
    "renew": _renew,
}


def _render(request: HttpRequest, request_id: int, *, problem: str = "", status: int = 200) -> HttpResponse:
    change = get_object_or_404(with_all(), pk=request_id)
    classes = classes_of(change.line)
    columns = [key for key in TITLES if change.evidence.get(key)]
    draft = draft_from_json(change.draft)
    context = {
        "line": change.line,
        "standing": standing(change, classes, user_of(request), timezone.now()),
        "change": change,
        "draft": draft,
        "names": names_of(classes),
        "negative": negative_of(classes),
        "evidence": change.evidence,
        "columns": [(key, TITLES[key]) for key in columns],
        "comparison": comparison(change.evidence, columns) if columns else [],
        "is_certified": is_certified(draft, change.certification),
        "flips": flipped_items(change.evidence, user_of(request)),
        "problem": problem,
    }
    return render(request, "monitoring/request.html", context, status=status)
