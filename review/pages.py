"""Pages of the inspector besides the console."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from gateway.roles import inspector_required
from gateway.visibility import hidden_items
from policies.models import LabelClass, Line
from review.models import Judgement

SHOWN = 100


@require_GET
@inspector_required
def recent(request: HttpRequest) -> HttpResponse:
    """Show the reviewer's own last judgements, on one line or on all."""
    slug = request.GET.get("line", "")
    line = get_object_or_404(Line, slug=slug) if slug else None
    mine = Judgement.objects.filter(reviewer=request.user.pk).select_related("item", "line", "superseded_by")
    if line is not None:
        mine = mine.filter(line=line)
    judgements = list(mine.order_by("-id")[:SHOWN])
    names = {(one.line_id, one.key): one.name for one in LabelClass.objects.filter(line__in={j.line_id for j in judgements})}
    negatives = {(one[0], one[1]) for one in LabelClass.objects.filter(is_negative=True).values_list("line_id", "key")}
    hidden = hidden_items(request.user, {judgement.item_id for judgement in judgements})
    for judgement in judgements:
        _describe(judgement, names, negatives)
        # What the item counts as may be the model's word: a blind answer that can still be given or changed must not hear it.
        judgement.hidden = judgement.item_id in hidden  # type: ignore[attr-defined]
    return render(
        request, "review/recent.html", {"judgements": judgements, "lines": Line.objects.filter(retired_at=None), "line": line}
    )


def _describe(judgement: Judgement, names: dict[tuple[int, str], str], negatives: set[tuple[int, str]]) -> None:
    """Attach what the template shows."""
    place = (judgement.line_id, judgement.answer)
    verdict = "unsure" if not judgement.answer else "pass" if place in negatives else "fail"
    judgement.answer_name = names.get(place, judgement.answer) or "Unsure"  # type: ignore[attr-defined]
    judgement.verdict = verdict  # type: ignore[attr-defined]
    judgement.superseded = hasattr(judgement, "superseded_by")  # type: ignore[attr-defined]
