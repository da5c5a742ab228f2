"""POSTs of items go past the framework's request, negotiation and renderer, which cost as much as deciding an item does.

The answers are the same: the token and its scope, problem details for what is wrong, JSON. Everything else that a view does,
GET and the OpenAPI document among it, is the framework's.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from gateway.authentication import authorised
from gateway.problems import KNOWN, problem_response

JSON = "application/json"
_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def answered(view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Authorise the request for the view's POST scope and return what its `post` answers, or the problem."""
    try:
        if "charset" in (request.content_params or ()):
            # It may be one that no text can be read with.
            request.encoding = "utf-8"
        view.hot_token = authorised(request.META.get("HTTP_AUTHORIZATION", ""), view.scopes["POST"])
        found: HttpResponseBase = view.post(request, *args, **kwargs)
    except KNOWN as error:
        found = problem_response(error)
    found["Vary"] = "Accept"
    return found


def respond(body: dict[str, Any], status: int, headers: dict[str, str]) -> HttpResponse:
    """Return a body as compact JSON."""
    text = _compact.encode(body).encode()
    return HttpResponse(text, status=status, headers=headers | {"Content-Length": str(len(text))}, content_type=JSON)
