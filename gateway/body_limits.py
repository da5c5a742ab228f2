"""A body that says it is too long is refused before anything reads it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from gateway.errors import BodyTooLarge
from gateway.problems import problem_response

Answer = Callable[[HttpRequest], HttpResponseBase]

# Where nothing but JSON and forms of text are sent.
USUAL = 4 * 1024 * 1024
# Beside its photo an item has the other fields and the outside of the form.
BESIDE_PHOTO = 1024 * 1024


class BodyLimits:
    """Middleware that goes by Content-Length: without one the server reads no body, or the door asks for it."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer 413 for a body over the limit of its address."""
        most, words = limit_of(request.path)
        length = request.META.get("CONTENT_LENGTH") or ""
        # So many digits are over any limit, and too many for a number.
        if length.isdecimal() and (len(length) > 15 or int(length) > most):
            return _refusal(request, BodyTooLarge(words))
        return self._get_response(request)


def limit_of(path: str) -> tuple[int, str]:
    """Return the most bytes that a body sent to this address may have, and the sentence that says so."""
    if path.startswith("/api/v1/lines/") and path.endswith("/items/batch"):
        return settings.MAX_BATCH_BYTES, f"A batch may have {settings.MAX_BATCH_BYTES} bytes."
    if path.startswith("/api/v1/lines/") and path.endswith("/items/archive"):
        return settings.MAX_ARCHIVE_BYTES, f"An archive may have {settings.MAX_ARCHIVE_BYTES} bytes."
    if path.startswith("/api/v1/lines/") and path.endswith("/items"):
        return settings.MAX_PHOTO_BYTES + BESIDE_PHOTO, f"A photo may have {settings.MAX_PHOTO_BYTES} bytes."
    return USUAL, f"A body sent to this address may have {USUAL} bytes."


def _refusal(request: HttpRequest, error: BodyTooLarge) -> HttpResponseBase:
    if request.path.startswith("/api/") or "/console/" in request.path:
        return problem_response(error)
    return render(request, "413.html", {"detail": error.detail}, status=error.status)
