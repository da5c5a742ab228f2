"""Text that no database column holds, such as a NUL in an address or a form, is the sender's mistake and not ours."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.defaults import bad_request


class RefuseUnstorable:
    """Answer 400 where PostgreSQL refused a value; what the request had begun was undone on the way here.

    The API refuses such text at its door. Pages let the database do it: SQLite takes every text.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let everything pass."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for a value that could not be stored or compared."""
        return bad_request(request, exception) if isinstance(exception, DataError) else None
