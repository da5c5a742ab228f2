"""A line's guardrails, its alarms, and the banner that tells of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway.roles import manager_required
from monitoring.alarms import see
from monitoring.charts.evidence import evidence_chart
from monitoring.guardrail_forms import GuardrailsForm
from monitoring.guardrails import set_guardrails
from monitoring.guardrails_page import page_context
from monitoring.intervals import share
from monitoring.models import Alarm, Watch
from monitoring.selectors.alarms import find_alarm, recalls_of_items, unseen_alarms, wrong_items
from monitoring.selectors.policies import classes_of, names_of, negative_of
from monitoring.views.answers import find_line, user_of


@require_GET
@manager_required
def line_guardrails(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is watched, what it sees now, and what went off."""
    return render(request, "monitoring/guardrails.html", page_context(find_line(slug), timezone.now()))


@require_POST
@manager_required
def set_levels(request: HttpRequest, slug: str) -> HttpResponse:
    """Set levels, actions and alpha; what is wrong is said and changes nothing."""
    line, form = find_line(slug), GuardrailsForm(request.POST)
    if not form.is_valid():
        context = page_context(line, timezone.now(), form) | {"problem": " ".join(form.problems)}
        return render(request, "monitoring/guardrails.html", context, status=422)
    if set_guardrails(line, form.settings, alpha=form.alpha_share, by=user_of(request), now=timezone.now()):
        messages.success(request, "Saved. It holds from the next look on, seconds away.")
    else:
        messages.info(request, "Nothing was different.")
    return redirect("line-guardrails", slug=line.slug)


@require_GET
@manager_required
def alarms_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the banner alone, for pages that ask every few seconds."""
    return render(request, "monitoring/_alarms.html", {"alarms": unseen_alarms(find_line(slug))})


@require_GET
@manager_required
def alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Tell the story of one alarm."""
    return render(request, "monitoring/alarm.html", _story(_find(alarm_id)))


@require_POST
@manager_required
def alarm_seen(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Note that somebody has seen it: the banner goes, the alarm stays on record."""
    found = _find(alarm_id)
    if see(found, by=user_of(request), now=timezone.now()):
        messages.success(request, "Noted. The banner is gone; only a person turns the dial up again.")
    else:
        messages.info(request, "Somebody had seen it before.")
    return redirect("alarm", alarm_id=found.pk)


def _find(alarm_id: int) -> Alarm:
    found = find_alarm(alarm_id)
    if found is None:
        raise Http404("There is no such alarm.")
    return found


def _story(found: Alarm) -> dict[str, Any]:
    evidence, classes, items = found.evidence, classes_of(found.line), wrong_items(found)
    context = {
        "alarm": found,
        "line": found.line,
        "evidence": evidence,
        "names": names_of(classes),
        "negative": negative_of(classes),
        "items": items,
        "recalls": recalls_of_items(items) if items else [],
        "guardrails_page": True,
    }
    if found.watch == Watch.ERRORS:
        context["chart"] = evidence_chart(evidence["curve"], evidence["line"], evidence["alarm_at"])
        context["share"] = share(evidence["k"], evidence["n"])
    return context
