"""The first page: every line at once, for those who decide items and for those who turn dials."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from monitoring.selectors.lines import overviews


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show all lines; asked for by htmx, the part of the page that moves."""
    template = "monitoring/_lines.html" if "HX-Request" in request.headers else "monitoring/home.html"
    return render(request, template, {"lines": overviews(timezone.now())})
