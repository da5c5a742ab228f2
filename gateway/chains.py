"""Short ways past the middleware of pages: for machines, and for the console's JSON, which a person waits for.

A middleware of its own, because one in a chain can't leave out those after it. What a chain leaves out would do nothing for
its addresses, so that answers are the same either way (`tests/gateway/test_chains.py` holds both together).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

Answer = Callable[[HttpRequest], HttpResponseBase]
API = "/api/v1/"
# What the console asks for; the page around it is a page as any other.
CONSOLE = re.compile(r"/(?:console/|lines/[-a-zA-Z0-9_]+/console/(?:next|last)\Z)")


class ShortChains:
    """Middleware that answers API and console through API_MIDDLEWARE and CONSOLE_MIDDLEWARE, and lets all others go on."""

    def __init__(self, get_response: Answer) -> None:
        self._pages = get_response
        self._api, self._console = _chain(settings.API_MIDDLEWARE), _chain(settings.CONSOLE_MIDDLEWARE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer by the short chain of the address, or by the long one."""
        if request.path_info.startswith(API):
            # Raises for a host that is not ours, as the middleware of pages does.
            request.get_host()
            return self._api(request)
        return self._console(request) if CONSOLE.match(request.path_info) else self._pages(request)


class Policy(CSPMiddleware):
    """Django-CSP's own builds the policy of an answer before it finds that the answer is to have none."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say what the document may do, where there is one."""
        return response if getattr(response, "_csp_exempt", False) else super().process_response(request, response)


def _chain(names: Sequence[str]) -> Answer:
    """Return the middleware around Django's own way from a request to its view."""
    views: Any = BaseHandler()
    views._view_middleware, views._exception_middleware = [], []
    # None of them has anything to say about a template's answer.
    views._template_response_middleware = []
    answer: Any = convert_exception_to_response(views._get_response)
    for name in reversed(names):
        middleware = import_string(name)(answer)
        if hasattr(middleware, "process_view"):
            views._view_middleware.insert(0, middleware.process_view)
        if hasattr(middleware, "process_exception"):
            views._exception_middleware.append(middleware.process_exception)
        answer = convert_exception_to_response(middleware)
    found: Answer = answer
    return found
