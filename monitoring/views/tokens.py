"""Machines' keys: which there are, a new one, and the end of one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from gateway.errors import GatewayError
from gateway.models import ApiToken
from gateway.roles import manager_required
from gateway.tokens import SCOPES, create_token, revoke_token
from monitoring.forms import TokenForm
from monitoring.views.answers import refusal, user_of
from policies.models import Line


@require_GET
@manager_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Show every token, never its secret."""
    return _render(request)


@require_POST
@never_cache
@manager_required
def token_create(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret this once: the page is the only copy, so there is no redirect to lose it on."""
    form = TokenForm(SCOPES, request.POST)
    if not form.is_valid():
        return _render(request, form=form, problem="A token needs a name and at least one thing that it may do.", status=422)
    slug = form.cleaned_data["line"]
    line = get_object_or_404(Line, slug=slug) if slug else None
    try:
        token, secret = create_token(
            form.cleaned_data["name"], scopes=form.cleaned_data["scopes"], line=line, by=user_of(request), now=timezone.now()
        )
    except GatewayError as error:
        return _render(request, form=form, problem=refusal(error), status=error.status)
    return _render(request, created=token, secret=secret, status=201)


@require_POST
@manager_required
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token from the next request on."""
    token = get_object_or_404(ApiToken, pk=token_id)
    if revoke_token(token, by=user_of(request), now=timezone.now()):
        messages.success(request, f"{token.name} is revoked.")
    else:
        messages.info(request, f"{token.name} was revoked before.")
    return redirect("tokens")


def _render(request: HttpRequest, *, form: TokenForm | None = None, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "tokens": ApiToken.objects.select_related("line", "created_by").order_by("revoked_at", "name"),
        "lines": Line.objects.filter(retired_at=None).order_by("name"),
        "scopes": SCOPES,
        "form": form,
        "chosen": form["scopes"].value() if form else ["items:write", "items:read"],
    }
    return render(request, "monitoring/tokens.html", context | more, status=status)
