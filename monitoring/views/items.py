"""Items: the list and the story of one. For everybody who is logged in; a blind reviewer gets less."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gateway.models import DecidedBy, ItemState
from monitoring.heatmap import data_uri
from monitoring.selectors import items, policies
from monitoring.selectors.story import item_story
from monitoring.views.answers import find_line, id_of, user_of
from policies.decide import Reason, Route

FILTERS = ("state", "answer", "route", "reason", "decided_by", "external_id")


@require_GET
def line_items(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the line's items, newest first."""
    line = find_line(slug)
    # A NUL, which no database column holds, matches nothing and is left out.
    asked = {name: request.GET.get(name, "").replace("\0", "").strip()[:200] for name in FILTERS}
    filters = {name: value for name, value in asked.items() if value}
    classes = policies.classes_of(line)
    page = items.listed(line, user_of(request), filters, id_of(request.GET.get("before", "")))
    context = {
        "line": line,
        "page": page,
        "filters": filters,
        "names": policies.names_of(classes),
        "negative": policies.negative_of(classes),
        "choices": {
            "state": ItemState.choices,
            "answer": [(entry.key, entry.name) for entry in classes],
            "route": [(Route.AUTOMATE.value, "Model decided"), (Route.REFER.value, "Went to people")],
            "reason": [(reason.value, reason.value.replace("_", " ").capitalize()) for reason in Reason],
            "decided_by": DecidedBy.choices,
        },
        "first": urlencode(filters),
        "more": urlencode(filters | {"before": str(page.next)}) if page.next else "",
    }
    return render(request, "monitoring/items.html", context)


@require_GET
def item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Show the story of one item."""
    story = item_story(item_id, user_of(request))
    if story is None:
        raise Http404("There is no such item.")
    seen = story.prediction
    context = {
        "line": story.item.line,
        "story": story,
        "names": policies.names_of(story.classes),
        "negative": policies.negative_of(story.classes),
        "heatmap": data_uri(seen.heatmap_rows, seen.heatmap_columns, bytes(seen.heatmap or b"")) if seen else "",
        "regions": seen.regions if seen else [],
        "probabilities": _sorted(seen.probabilities) if seen else [],
    }
    return render(request, "monitoring/item.html", context)


def _sorted(probabilities: dict[str, float]) -> list[tuple[str, float]]:
    """Likeliest first."""
    return sorted(probabilities.items(), key=lambda entry: -entry[1])
