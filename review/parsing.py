"""Reading the console's JSON into typed values; what is wrong is refused before anything is touched."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, RawPostDataException

from gateway.errors import BadField
from review.answers import Answer
from review.claims import MAX_ID
from review.models import PAGE_LENGTH

MAX_REGIONS = 50
# A day in milliseconds: nobody looks at one item for longer.
MAX_ACTIVE_MS = 86_400_000


def body_of(request: HttpRequest) -> dict[str, Any]:
    """Return the request's JSON object."""
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError, RawPostDataException):
        # The last: it was read as a form already.
        raise BadField("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadField("The body must be a JSON object.")
    return data


def answer_of(data: dict[str, Any]) -> Answer:
    """Return the reviewer's answer."""
    key, comment, active = data.get("answer", ""), data.get("comment", ""), data.get("active_ms", 0)
    if not isinstance(key, str) or len(key) > 40:
        raise BadField("answer must be the key of a class, or empty for unsure.")
    if not isinstance(comment, str) or len(comment) > 500 or not _storable(comment):
        raise BadField("comment must be text of up to 500 characters.")
    # Written so that NaN, which compares false with everything, is refused; and not a whole number too large for a float.
    if not isinstance(active, int | float) or isinstance(active, bool) or not active >= 0:
        raise BadField("active_ms must be a number of milliseconds.")
    return Answer(key, _regions(data.get("regions", [])), comment, int(min(active, MAX_ACTIVE_MS)))


def ids_of(data: dict[str, Any], name: str = "claims") -> list[int]:
    """Return the claims that a request names under this name."""
    ids = data.get(name, [])
    if (
        not isinstance(ids, list)
        or len(ids) > 100
        or not all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= MAX_ID for one in ids)
    ):
        raise BadField(f"{name} must be a list of up to 100 numbers.")
    return ids


def page_of(data: dict[str, Any]) -> str:
    """Return the name that the loaded page gave itself; empty where the client has no pages."""
    page = data.get("page", "")
    if not isinstance(page, str) or len(page) > PAGE_LENGTH or not page.isprintable():
        raise BadField(f"page must be a name of up to {PAGE_LENGTH} characters.")
    return page


def key_of(request: HttpRequest) -> str:
    """Return the idempotency key, without which a retried answer could count twice."""
    key = request.headers.get("Idempotency-Key", "")
    if not key or len(key) > 64 or not key.isprintable():
        raise BadField("A judgement needs an Idempotency-Key of up to 64 characters.")
    return key


def _regions(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_REGIONS:
        raise BadField(f"regions must be a list of up to {MAX_REGIONS} boxes.")
    return [_region(one) for one in value]


def _region(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("label"), str):
        raise BadField("A region has label, x, y, width and height.")
    sides = {side: _share(value.get(side), side) for side in ("x", "y", "width", "height")}
    if (
        not sides["width"]
        or not sides["height"]
        or _outside(sides["x"], sides["width"])
        or _outside(sides["y"], sides["height"])
    ):
        raise BadField("A region lies inside the photo and has an area.")
    return {"label": value["label"], **sides}


def _share(value: Any, side: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise BadField(f"{side} must be between 0 and 1.")
    return float(value)


def _storable(text: str) -> bool:
    """JSON can spell half a character, and NUL, which databases do not keep."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _outside(start: float, length: float) -> bool:
    return start + length > 1 + 1e-6
