"""Private by default, without asking who it is where that does not matter, nor again where it was just asked."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

from gateway.presence import person_of


class LoginRequired(LoginRequiredMiddleware):
    """Django's own looks up session and user first, also for a view that is open to everybody: two queries a look of a page."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: tuple[Any, ...], view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let open views through, and ask for a login before all others."""
        if not getattr(view_func, "login_required", True):
            return None
        # Django looks here before it asks session and database. Who is not known there is asked for by Django itself.
        if not hasattr(request, "_cached_user") and (person := person_of(request)) is not None:
            request._cached_user = person  # type: ignore[attr-defined]
            # Itself and not something that looks it up: each look at it would cost a call.
            request.user = person
        return super().process_view(request, view_func, view_args, view_kwargs)
