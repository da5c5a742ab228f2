"""Requests of machines go past the middleware of pages: no session, no forms, no policy for a document's content.

A middleware of its own, because one in a chain can't leave out those after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

Answer = Callable[[HttpRequest], HttpResponseBase]
PREFIX = "/api/v1/"


class ApiChain:
    """Middleware that answers addresses of the API through API_MIDDLEWARE, and lets all others go on."""

    def __init__(self, get_response: Answer) -> None:
        self._pages, self._api = get_response, _chain()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer by the short chain or by the long one."""
        if not request.path_info.startswith(PREFIX):
            return self._pages(request)
        # Raises for a host that is not ours, as the middleware of pages does.
        request.get_host()
        return self._api(request)


def _chain() -> Answer:
    """Return the API's middleware around Django's own way from a request to its view."""
    views = BaseHandler()
    views._view_middleware = []  # type: ignore[attr-defined]
    views._template_response_middleware = []  # type: ignore[attr-defined]
    views._exception_middleware = []  # type: ignore[attr-defined]
    answer: Any = convert_exception_to_response(views._get_response)  # type: ignore[attr-defined]
    for name in reversed(settings.API_MIDDLEWARE):
        answer = convert_exception_to_response(import_string(name)(answer))
    found: Answer = answer
    return found
