"""Endpoints of other systems: which there are, a new one, what was sent to it, and sending again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from gateway.background import wake
from gateway.errors import GatewayError
from gateway.roles import manager_required
from gateway.webhooks import endpoints as verbs
from gateway.webhooks import redelivery
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from gateway.webhooks.tasks import send_webhooks
from gateway.webhooks.types import TYPES
from monitoring.selectors.webhooks import deliveries, endpoints
from monitoring.views.answers import id_of, refusal, user_of
from monitoring.webhook_forms import EndpointForm, state_of
from policies.models import Line


@require_GET
@manager_required
def webhooks(request: HttpRequest) -> HttpResponse:
    """Show every endpoint, never its secret."""
    return _list(request)


@require_POST
@never_cache
@manager_required
def webhook_create(request: HttpRequest) -> HttpResponse:
    """Make an endpoint and show its secret this once."""
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _list(request, form=form, problem="An endpoint needs a name, a URL and at least one event.", status=422)
    data = form.cleaned_data
    line = get_object_or_404(Line, slug=data["line"]) if data["line"] else None
    try:
        made = verbs.create_endpoint(
            data["name"], data["url"], types=data["types"], line=line, by=user_of(request), now=timezone.now()
        )
    except GatewayError as error:
        return _list(request, form=form, problem=refusal(error), status=error.status)
    return _one(request, made, secret=made.secret, status=201)


@require_GET
@manager_required
def webhook(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Show an endpoint and what was sent to it."""
    return _one(request, _find(endpoint_id))


@require_POST
@never_cache
@manager_required
def webhook_rotate(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Give the endpoint a new secret and show it this once."""
    endpoint = _find(endpoint_id)
    secret = verbs.rotate_secret(endpoint, now=timezone.now())
    return _one(request, _find(endpoint_id), secret=secret)


@require_POST
@manager_required
def webhook_move(request: HttpRequest, endpoint_id: int, verb: str) -> HttpResponse:
    """Send a test, send again what was given up, or switch the endpoint on or off."""
    if verb not in _MOVES:
        raise Http404("There is no such thing to do.")
    endpoint = _find(endpoint_id)
    try:
        done = _MOVES[verb](endpoint, user_of(request))
    except GatewayError as error:
        return _one(request, endpoint, problem=refusal(error), status=error.status)
    wake(send_webhooks)
    messages.success(request, done)
    return redirect("webhook", endpoint_id)


@require_POST
@manager_required
def delivery_again(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Send one delivery again."""
    delivery = get_object_or_404(Delivery.objects.select_related("endpoint__line"), pk=delivery_id)
    try:
        redelivery.redeliver(delivery, now=timezone.now())
    except GatewayError as error:
        return _one(request, delivery.endpoint, problem=refusal(error), status=error.status)
    wake(send_webhooks)
    messages.success(request, f"{delivery.type} is sent again.")
    return redirect("webhook", delivery.endpoint_id)


def _test(endpoint: Endpoint, user: User) -> str:
    redelivery.send_test(endpoint, now=timezone.now())
    return "The test is on its way; what comes back is shown below."


def _again(endpoint: Endpoint, user: User) -> str:
    count = redelivery.redeliver_failed(endpoint, now=timezone.now())
    return f"{count} given up before {'is' if count == 1 else 'are'} sent again."


def _off(endpoint: Endpoint, user: User) -> str:
    verbs.disable(endpoint, by=user, now=timezone.now())
    return f"{endpoint.name} is off. What happens meanwhile is sent when it is switched on again."


def _on(endpoint: Endpoint, user: User) -> str:
    verbs.enable(endpoint, by=user, now=timezone.now())
    return f"{endpoint.name} is on. What happened meanwhile is sent now."


_MOVES: dict[str, Callable[[Endpoint, User], str]] = {"test": _test, "again": _again, "off": _off, "on": _on}


def _find(endpoint_id: int) -> Endpoint:
    return get_object_or_404(Endpoint.objects.select_related("line"), pk=endpoint_id)


def _list(request: HttpRequest, *, form: EndpointForm | None = None, problem: str = "", status: int = 200) -> HttpResponse:
    context = {
        "endpoints": endpoints(),
        "lines": Line.objects.filter(retired_at=None).order_by("name"),
        "types": TYPES,
        "form": form,
        "chosen": form["types"].value() if form else ["item.decided", "item.superseded"],
        "problem": problem,
    }
    return render(request, "monitoring/webhooks.html", context, status=status)


def _one(request: HttpRequest, endpoint: Endpoint, *, status: int = 200, **more: Any) -> HttpResponse:
    state = state_of(request.GET.get("state", ""))
    context = {
        "webhooks_page": True,
        "endpoint": endpoint,
        "types": [(name, one.words) for name, one in TYPES.items() if name in endpoint.types],
        "rotating": endpoint.previous_until is not None and endpoint.previous_until > timezone.now(),
        "page": deliveries(endpoint, state, id_of(request.GET.get("before", ""))),
        "states": DeliveryState.choices,
        "state": state,
    }
    return render(request, "monitoring/webhook.html", context | more, status=status)
