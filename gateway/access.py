"""One line and one count a request: what was asked, by whom, how it ended, how long it took. Never a body, query or secret."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.encoding import escape_uri_path

from gateway import log_context
from gateway.ids import uuid7
from gateway.metrics import REQUEST_SECONDS, REQUESTS

logger = logging.getLogger(__name__)

# What a caller may call its request: nothing that could be taken for something else in a log.
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Asked every few seconds by machines; nobody wants to read that.
QUIET = {"livez", "readyz", "metrics"}

Answer = Callable[[HttpRequest], HttpResponseBase]


class Access:
    """The outermost middleware."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the request's id in X-Request-ID: the caller's own where it sent one, else a new one."""
        said = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = said if SANE.fullmatch(said) else uuid7().hex
        started = perf_counter()
        with log_context.only(request_id=request_id):
            response = self._get_response(request)
            response["X-Request-ID"] = request_id
            _tell(request, response, perf_counter() - started)
        return response


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    match = request.resolver_match
    # The pattern, not the path: paths are without number.
    route = match.route if match else "unknown"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(route, method, response.status_code).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)
    if settings.ACCESS_LOG and route not in QUIET and logger.isEnabledFor(logging.INFO):
        facts = _facts(request, response, seconds)
        logger.info("%s %s %d", request.method, facts["path"], response.status_code, extra={"fields": facts})


def _path(request: HttpRequest) -> str:
    """Return it as it was sent: a line break in it must not look like another line."""
    return escape_uri_path(request.path)


def _facts(request: HttpRequest, response: HttpResponseBase, seconds: float) -> dict[str, Any]:
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    # Only where somebody has asked already: a log line is no reason to read a session.
    user = request.__dict__.get("_cached_user")
    found = {
        "method": request.method,
        "path": _path(request),
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "line": kwargs.get("slug"),
        "item": kwargs.get("item_id"),
        "user": user.get_username() if user is not None and user.is_authenticated else None,
    }
    return {name: value for name, value in found.items() if value is not None}
