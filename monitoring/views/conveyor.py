"""The switch of the demo conveyor."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway.roles import manager_required
from monitoring.forms import ConveyorForm, share_of
from monitoring.models import Conveyor
from monitoring.selectors.control_room import alive
from monitoring.views.answers import find_line
from monitoring.views.line import render_room, to_line


@require_GET
@manager_required
def conveyor_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Return whether the conveyor runs, for the page that asks every few seconds."""
    conveyor = get_object_or_404(Conveyor.objects.select_related("line"), line__slug=slug)
    context = {"line": conveyor.line, "conveyor": conveyor, "conveyor_alive": alive(conveyor, timezone.now())}
    return render(request, "monitoring/_conveyor_state.html", context)


@require_POST
@manager_required
def set_conveyor(request: HttpRequest, slug: str) -> HttpResponse:
    """Start, stop or set the conveyor; the process that renders the photos reads the row."""
    line = find_line(slug)
    form = ConveyorForm(request.POST)
    if not form.is_valid():
        problem = "The conveyor takes 0.1 to 20 items a second, 0 to 100 % defects and 10 to 100 % light."
        return render_room(request, line, problem=problem, status=422)
    data = form.cleaned_data
    columns: dict[str, float | bool] = {
        "rate": data["rate"],
        "defects": share_of(data["defect_percent"]),
        "darker": share_of(data["light_percent"]),
    }
    if data["running"]:
        columns["running"] = data["running"] == "1"
    if Conveyor.objects.filter(line=line).update(**columns) != 1:
        raise Http404("This line has no conveyor.")
    messages.success(
        request, {"1": "The conveyor starts.", "0": "The conveyor stops."}.get(data["running"], "The conveyor is set.")
    )
    return to_line(request, line)
