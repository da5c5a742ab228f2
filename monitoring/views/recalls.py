"""One recall: what was found wrong, what is like it, and what a manager does about that."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from gateway.errors import GatewayError
from gateway.roles import manager_required
from monitoring import recalls
from monitoring.models import Recall
from monitoring.selectors.policies import classes_of, names_of, negative_of
from monitoring.selectors.recall_page import recall_page
from monitoring.views.answers import number_of, refusal, user_of


@require_GET
@manager_required
def recall(request: HttpRequest, recall_id: int) -> HttpResponse:
    """Show the wrong decision and its siblings."""
    return _render(request, _find(recall_id))


@require_POST
@manager_required
def recall_send(request: HttpRequest, recall_id: int) -> HttpResponse:
    """Send the nearest siblings to people, blind; 409 where somebody else handled the recall in this moment."""
    found = _find(recall_id)
    try:
        sent = recalls.send(found, number_of(request, "count"), by=user_of(request), now=timezone.now())
    except GatewayError as error:
        return _render(request, _find(recall_id), problem=refusal(error), status=error.status)
    words = "1 item goes" if sent == 1 else f"{sent} items go"
    messages.success(request, f"{words} to people, who judge without seeing what the model said. Until then decisions stand.")
    return redirect("recall", recall_id=found.pk)


@require_POST
@manager_required
def recall_dismiss(request: HttpRequest, recall_id: int) -> HttpResponse:
    """Leave the siblings as they are."""
    found = _find(recall_id)
    try:
        recalls.dismiss(found, by=user_of(request), reason=request.POST.get("reason", ""), now=timezone.now())
    except GatewayError as error:
        return _render(request, _find(recall_id), problem=refusal(error), status=error.status)
    messages.success(request, "Dismissed. Every decision stays as it is.")
    return redirect("recall", recall_id=found.pk)


def _find(recall_id: int) -> Recall:
    found = Recall.objects.select_related("line", "item", "model_version", "handled_by").filter(pk=recall_id).first()
    if found is None:
        raise Http404("There is no such recall.")
    return found


def _render(request: HttpRequest, found: Recall, *, problem: str = "", status: int = 200) -> HttpResponse:
    classes = classes_of(found.line)
    context: dict[str, Any] = {
        "recall": found,
        "line": found.line,
        "page": recall_page(found),
        "most": recalls.MOST,
        "names": names_of(classes),
        "negative": negative_of(classes),
        "problem": problem,
        "guardrails_page": True,
    }
    return render(request, "monitoring/recall.html", context, status=status)
