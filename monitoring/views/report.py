"""A line's weekly report: one page that a person reads, prints and signs."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from gateway.roles import manager_required
from monitoring.report_page import report_context
from monitoring.selectors.report import weekly_report
from monitoring.views.answers import find_line
from monitoring.weeks import week_at, week_of


@require_GET
@manager_required
def line_report(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the report of a week, the last full one where none is asked for. 404 for a week that has not begun."""
    line, now, zone = find_line(slug), timezone.now(), timezone.get_default_timezone()
    present = week_at(now, zone)
    key = request.GET.get("week", "")
    week = week_of(key, zone) if key else present.previous
    if week is None or week.monday > present.monday:
        raise Http404("There is no such week.")
    context = report_context(weekly_report(line, week))
    context |= {"running": week == present, "following": None if week == present else week.next, "now": now}
    return render(request, "monitoring/report.html", context)
