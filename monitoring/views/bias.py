"""How far inspectors lean on the model where it advises them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from gateway.roles import manager_required
from monitoring.bias_words import leaning_rows
from monitoring.selectors.leaning import leanings
from monitoring.views.answers import find_line
from monitoring.windows import WINDOWS, window_of

# The blind arm is small: the longest look back says most.
LONGEST = WINDOWS[-1].key


@require_GET
@manager_required
def line_bias(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what people say when they see the model's answer beside what they say blind."""
    line, window = find_line(slug), window_of(request.GET.get("window", LONGEST))
    found = leanings(line, window.start(timezone.now()))
    context = {"line": line, "window": window, "windows": WINDOWS, "leanings": found, "rows": leaning_rows(found)}
    return render(request, "monitoring/bias.html", context)
