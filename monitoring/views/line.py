"""The control room of a line: its page, the parts of it that move, and the dial."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway import change_control
from gateway.roles import manager_required
from monitoring.charts.flow_bar import segments
from monitoring.differences import changes_in_words, title
from monitoring.flow import flow
from monitoring.forms import PolicyForm, form_of
from monitoring.pages import room_context
from monitoring.selectors import policies
from monitoring.selectors.arrived import book_of, groups
from monitoring.selectors.control_room import control_room
from monitoring.selectors.queue import queue
from monitoring.selectors.requests import pending_of
from monitoring.trials import trial
from monitoring.views.answers import find_line, number_of, reason_of, refusal, user_of
from monitoring.views.requests import say_where_it_stands
from monitoring.windows import window_of
from policies.automation import lowers
from policies.changes import Draft, draft_of
from policies.errors import PolicyError, StalePolicy
from policies.models import ChangeRequest, Line, PolicyVersion, RequestState
from policies.modes import Mode


@require_GET
@manager_required
def line(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the control room."""
    return render_room(request, find_line(slug))


@require_GET
@manager_required
def queue_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the queue's figures, for the page that asks every few seconds."""
    found = find_line(slug)
    return render(request, "monitoring/_queue.html", {"line": found, "queue": queue(found, timezone.now())})


@require_GET
@manager_required
def flow_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the bar that splits the window's items."""
    found, window = find_line(slug), window_of(request.GET.get("window", ""))
    negative = policies.negative_of(policies.classes_of(found))
    split = flow(groups(book_of(found), window.start(timezone.now())), negative)
    return render(
        request, "monitoring/_flow.html", {"line": found, "window": window, "flow": split, "segments": segments(split)}
    )


@require_POST
@manager_required
def change_dial(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the posted policy into force, or ask for it where others have to agree.

    409 where somebody else was faster, 422 where it is not valid.
    """
    found = find_line(slug)
    classes = policies.classes_of(found)
    form = PolicyForm(classes, request.POST)
    if not form.is_valid():
        return render_room(request, found, form=form, problem=" ".join(form.problems), status=422)
    current = policies.current(found)
    if form.cleaned_data["expected"] == current.number and form.draft == draft_of(current):
        messages.info(request, "Nothing was changed: the policy is as it was.")
        return to_line(request, found)
    try:
        made = _ask(request, found, form, current)
    except StalePolicy as error:
        return _stale(request, found, form, refusal(error))
    except PolicyError as error:
        return render_room(request, found, form=form, problem=refusal(error), status=error.status)
    if made.state == RequestState.STALE:  # somebody was faster by a hair
        return _stale(request, found, form, made.note)
    if made.state == RequestState.APPLIED and made.result is not None:
        mode = title(Mode(made.result.mode))
        messages.success(request, f"Policy version {made.result.number} is in force from the next item on: {mode}.")
    else:
        say_where_it_stands(request, made)
    return to_line(request, found)


@require_POST
@manager_required
def stop(request: HttpRequest, slug: str) -> HttpResponse:
    """The red switch: people decide everything from the next item on."""
    found = find_line(slug)
    reason = reason_of(request, "Red switch")
    policy = change_control.stop(found, by=user_of(request), reason=reason, now=timezone.now())
    messages.success(request, f"The model decides nothing from the next item on (policy version {policy.number}).")
    return to_line(request, found)


def render_room(
    request: HttpRequest, line: Line, *, form: PolicyForm | None = None, problem: str = "", status: int = 200, **more: Any
) -> HttpResponse:
    """Render the control room; with `form`, what somebody had set on the dial when it was refused."""
    window = window_of(request.GET.get("window", "") or request.POST.get("window", ""))
    room = control_room(line, window, timezone.now())
    shown = form or form_of(room.policy, room.classes)
    context = room_context(room, shown) | {"problem": problem, "pending": pending_of(line)} | more
    return render(request, "monitoring/line.html", context, status=status)


def to_line(request: HttpRequest, line: Line) -> HttpResponse:
    """Go back to the control room, over the same window."""
    response = redirect("line", slug=line.slug)
    window = window_of(request.POST.get("window", ""))
    response["Location"] += f"?window={window.key}" if request.POST.get("window") else ""
    return response


def _ask(request: HttpRequest, line: Line, form: PolicyForm, current: PolicyVersion) -> ChangeRequest:
    """Ask for what the dial was set to; where others will have to agree, with what it would do to the past."""
    now = timezone.now()
    found = trial(line, form.draft, now=now) if _others_decide(line, form.draft, current) else None
    return change_control.ask(
        line,
        form.draft,
        expected=form.cleaned_data["expected"],
        by=user_of(request),
        reason=form.cleaned_data["reason"],
        certification=found.certification if found else None,
        evidence=found.evidence if found else None,
        now=now,
    )


def _others_decide(line: Line, draft: Draft, current: PolicyVersion) -> bool:
    return line.approvals > 0 and not lowers(draft_of(current), draft)


def _stale(request: HttpRequest, line: Line, form: PolicyForm, problem: str) -> HttpResponse:
    """Say who changed what, and keep what was set: one more press applies it on top."""
    current = policies.current(line)
    seen = PolicyVersion.objects.filter(line=line, number=number_of(request, "expected")).first()
    words = changes_in_words(draft_of(seen), draft_of(current), policies.names_of(policies.classes_of(line))) if seen else []
    return render_room(
        request, line, form=form, problem=problem, status=StalePolicy.status, stale_by=current, stale_words=words
    )
