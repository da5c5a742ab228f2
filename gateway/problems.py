"""One place renders every error as RFC 9457 problem details, for the API and for the console's JSON alike."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from gateway.errors import AGAIN, GatewayError, StorageUnavailable
from inference.errors import InputRefused, ModelUnavailable
from policies.errors import PolicyError

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "/api/docs/problems#"

# Refusals of a photo that have a status of their own; the rest are 422: understood, and not acceptable.
INPUT_STATUS = {"image-too-large": 413, "image-format": 415}


def body_of(error: Exception) -> dict[str, Any]:
    """Return the problem details of one of our errors."""
    code = getattr(error, "code", "error")
    return {
        "type": TYPE_PREFIX + code,
        "title": getattr(error, "title", "Error"),
        "status": status_of(error),
        "code": code,
        "detail": getattr(error, "detail", "") or str(error),
    }


def status_of(error: Exception) -> int:
    """Return the HTTP status of one of our errors."""
    if isinstance(error, InputRefused):
        return INPUT_STATUS.get(error.code, 422)
    if isinstance(error, ModelUnavailable):
        return 503
    return int(getattr(error, "status", 400))


OURS = (GatewayError, PolicyError, InputRefused, ModelUnavailable)
# The database is away, locked or full, or the storage is away. The caller keeps its photo and tries again.
TROUBLE = (OperationalError, InterfaceError, StorageUnavailable)
# All that is rendered here; what is not among them was not foreseen, and is a 500 that is logged.
KNOWN = (
    *OURS, *TROUBLE, exceptions.APIException, Http404, PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent,
)  # fmt: skip


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render an error raised in an API view; None lets an unforeseen one become a 500 that is logged."""
    body = _translate(error)
    if body is None:
        return None
    return Response(body, status=body["status"], headers=_headers(error, body), content_type=CONTENT_TYPE)


def problem_response(error: Exception) -> JsonResponse:
    """Render an error of ours or of Django's own, raised in a plain view."""
    body = details_of(error)
    return JsonResponse(body, status=body["status"], headers=_headers(error, body), content_type=CONTENT_TYPE)


def _headers(error: Exception, body: dict[str, Any]) -> dict[str, str]:
    headers = {}
    if body["status"] == 503:
        headers["Retry-After"] = "1"
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return headers


def details_of(error: Exception) -> dict[str, Any]:
    """Return the problem details of an error of ours, the REST framework's or Django's own."""
    return _translate(error) or body_of(error)


def _translate(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, OURS):
        return body_of(error)
    if isinstance(error, TROUBLE):
        name = "storage" if isinstance(error, StorageUnavailable) else "database"
        logger.error("the %s does not answer: %s", name, error)
        return _plain(503, f"{name}-unavailable", f"The {name} does not answer", f"{AGAIN} ({type(error).__name__})")
    if isinstance(error, exceptions.APIException):
        detail = error.detail
        code = getattr(detail, "code", None) or error.default_code
        return _plain(error.status_code, str(code).replace("_", "-"), str(error.default_detail), _words(detail))
    if isinstance(error, Http404):
        return _plain(status.HTTP_404_NOT_FOUND, "not-found", "Not found", "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return _plain(status.HTTP_403_FORBIDDEN, "forbidden", "Not allowed", str(error) or "You may not do this.")
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return _plain(413, "body-too-large", "The body is too large", _bound(error))
    return None


def _bound(error: Exception) -> str:
    """Return in figures what the framework says with the name of a setting."""
    if isinstance(error, TooManyFieldsSent):
        return f"A request has at most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields."
    if isinstance(error, TooManyFilesSent):
        return f"A request has at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files."
    return f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes beside its files."


def _plain(status_code: int, code: str, title: str, detail: str) -> dict[str, Any]:
    return {"type": TYPE_PREFIX + code, "title": title.rstrip("."), "status": status_code, "code": code, "detail": detail}


def _words(detail: Any) -> str:
    """Return the REST framework's nested error details as one readable line."""
    if isinstance(detail, dict):
        return "; ".join(f"{key}: {_words(value)}" for key, value in detail.items())
    if isinstance(detail, list):
        return ", ".join(_words(value) for value in detail)
    return str(detail)


def unknown(request: HttpRequest) -> JsonResponse:
    """Answer an unknown address below /api/ as a problem too."""
    body = _plain(404, "not-found", "Not found", f"There is nothing at {request.path}.")
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)
