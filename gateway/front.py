"""The shortest way in: a photo that is posted goes from the server to its view past Django's handler.

The handler, its signals, its chain of middleware and the resolver take as long as decoding half a photo. What they do for a
machine's POST is done here in a few lines, with the same answers (`tests/gateway/test_front.py` holds both ways together);
every other request goes their way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve

from gateway import hot
from gateway.access import Access
from gateway.body_limits import BodyLimits

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, Any], Iterable[bytes]]
PHOTOS = re.compile(r"/api/v1/lines/[-a-zA-Z0-9_]+/items(/batch)?")

_match: Callable[[str], ResolverMatch] = lru_cache(256)(resolve)


def front(pages: Application) -> Application:
    """Return the application that answers posted photos itself and leaves the rest to `pages`."""
    answer = Access(_secured(BodyLimits(_answered)))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not _is_photo(environ):
            return pages(environ, start_response)
        # As Django does at the beginning of a request: a connection that failed is not used again.
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        request = WSGIRequest(environ)
        try:
            response = answer(request)
        except Exception as error:  # noqa: BLE001 (answered as Django would, and logged by it)
            response = response_for_exception(request, error)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]  # type: ignore[attr-defined]  # none of these is streamed

    return application


def _is_photo(environ: Environ) -> bool:
    return (
        environ["REQUEST_METHOD"] == "POST" and not environ.get("SCRIPT_NAME") and bool(PHOTOS.fullmatch(environ["PATH_INFO"]))
    )


def _answered(request: HttpRequest) -> HttpResponseBase:
    """Call the view as the resolver and `View.as_view` would."""
    # Raises for a host that is not ours.
    request.get_host()
    match = _match(request.path_info)
    request.resolver_match = match
    view = match.func.view_class()  # type: ignore[attr-defined]
    # Not by `setup`, which ties the view to itself: request and body would lie about until the collector comes.
    view.request, view.args, view.kwargs = request, (), match.kwargs
    return hot.answered(view, request, **match.kwargs)


def _secured(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the answer with what Django's own middleware puts around it."""
    security = SecurityMiddleware(answer)

    def secured(request: HttpRequest) -> HttpResponseBase:
        return security.process_request(request) or security.process_response(request, answer(request))  # type: ignore[arg-type]

    return secured
