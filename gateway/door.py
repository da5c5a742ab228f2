"""Reading a request into arrivals. What is wrong is refused here, says what and why, and has changed nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from gateway.arrivals import Arrival
from gateway.compiled import Select, text
from gateway.errors import BadField, BodyTooLarge, GatewayError, LengthRequired, LineRetired, LineUnknown, MediaTypeRefused
from gateway.form_data import File, Form, counted, read_form
from gateway.limits import photo_limits
from gateway.metrics import stage
from gateway.models import ApiToken
from gateway.standing import Standing
from inference import kinds
from inference.errors import InputRefused
from inference.predictions import Scores, parse_scores
from policies.errors import PolicyError
from policies.models import Line

# Deeper metadata is a mistake or an attack: whoever reads it later may not get through it.
MOST_NESTED = 32

# Types under which a photo's bytes come besides its own. The last is what curl sends with --data-binary and no type.
RAW = {"application/octet-stream", "application/x-www-form-urlencoded"}

Refusal = InputRefused | GatewayError | PolicyError

_lines = Select(lambda: Line.objects.filter(slug=text("slug")).order_by())
_standing: Standing[str, Line] = Standing(lambda slug: _lines.first(slug=slug))


def open_line(slug: str, token: ApiToken) -> Line:
    """Return the line that the token may use. Another line's token learns no more than that there is none."""
    line = _standing.get(slug)
    if line is None or (token.line_id is not None and token.line_id != line.pk):
        raise LineUnknown(f"There is no line {slug!r} for this token.")
    return line


def open_for_items(slug: str, token: ApiToken) -> Line:
    """Return the line where it takes items."""
    line = open_line(slug, token)
    if line.retired_at is not None:
        raise LineRetired(f"The line {slug!r} was retired on {line.retired_at:%Y-%m-%d} and takes no more items.")
    return line


def open_one(request: HttpRequest, line: Line) -> Callable[[], Arrival]:
    """Read the bytes of one item and return what decodes them: the photo as the raw body with fields in the query, or multipart
    with fields beside it."""
    if request.content_type == "multipart/form-data":
        form = read_form(request, settings.MAX_PHOTO_BYTES)
        if [file.name for file in form.files] != ["image"]:
            raise BadField(f"A multipart item has exactly one file, called image; this one has {counted(form.files)}.")
        _refuse_address_fields(request)
        return _reader(line, _bytes_of(form.files[0]), form.fields)
    content_type = request.content_type or ""
    if not content_type.startswith("image/") and content_type not in RAW:
        _refuse_type(request, line)
    fields = request.GET.dict()
    fields.pop("wait", None)
    return _reader(line, _body_of(request), fields)


def _reader(line: Line, data: bytes, fields: dict[str, Any]) -> Callable[[], Arrival]:
    def read() -> Arrival:
        with stage("door"):
            return arrival(line, data, fields)

    return read


def read_many(request: HttpRequest, line: Line) -> list[Arrival | Refusal]:
    """Read a multipart batch: files called image, and a field `items` with one JSON object a file, in the same order.

    A bad item becomes its refusal and leaves the others alone; a bad envelope is raised.
    """
    if request.content_type != "multipart/form-data":
        raise MediaTypeRefused(f"A batch is multipart/form-data, not {request.content_type or 'untyped'}.")
    form = read_form(request, settings.MAX_PHOTO_BYTES)
    files = form.files
    if {file.name for file in files} != {"image"}:
        raise BadField(f"A batch has one or more files, all called image; this one has {counted(files)}.")
    _refuse_address_fields(request)
    unknown = sorted(form.fields.keys() - {"items"})
    if unknown:
        raise BadField(f"There is no field {', '.join(unknown)}; a batch has the fields of its items in the field items.")
    if len(files) > settings.MAX_BATCH_ITEMS:
        raise BodyTooLarge(f"A batch holds at most {settings.MAX_BATCH_ITEMS} items, not {len(files)}.")
    with stage("door"):
        fields = _batch_fields(form, len(files))
        return [_try_arrival(line, file, of_one) for file, of_one in zip(files, fields, strict=True)]


def read_object(request: HttpRequest, fields: set[str]) -> dict[str, Any]:
    """Read a body that is one JSON object with no other than these fields."""
    if request.content_type != "application/json":
        raise MediaTypeRefused(f"This takes application/json, not {request.content_type or 'untyped'}.")
    data = parse_json(request.body, "The body")
    if not isinstance(data, dict):
        raise BadField(f"The body must be a JSON object, not {_kind_of(data)}.")
    unknown = sorted(set(data) - fields)
    if unknown:
        raise BadField(f"There is no field {', '.join(unknown)}; there is {', '.join(sorted(fields))}.")
    return data


def parse_json(text: str | bytes, what: str) -> Any:
    """Return the parsed JSON; NaN and Infinity, which JSON does not have, are refused, and what cannot be stored."""
    data = _loads(text, what)
    refuse_unstorable(data, what)
    return data


def refuse_unstorable(value: Any, what: str, depth: int = 0) -> None:
    """Raise BadField for JSON that is nested too deep, or holds text that a database or an answer cannot hold."""
    if depth > MOST_NESTED:
        raise BadField(f"{what} is nested more than {MOST_NESTED} deep.")
    if isinstance(value, str):
        if "\0" in value:
            raise BadField(f"{what} holds a NUL character.")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadField(f"{what} holds half a character (a lone surrogate).")
    elif isinstance(value, dict):
        refuse_unstorable([*value.keys(), *value.values()], what, depth)
    elif isinstance(value, list):
        for one in value:
            refuse_unstorable(one, what, depth + 1)


def parse_metadata(value: Any) -> dict[str, Any]:
    """Return the item's metadata: a JSON object of bounded size, given as text or parsed already."""
    if value in (None, ""):
        return {}
    data = parse_json(value, "metadata") if isinstance(value, str) else value
    if not isinstance(data, dict):
        raise BadField(f"metadata must be a JSON object, not {_kind_of(data)}.")
    try:
        size = len(json.dumps(data, allow_nan=False).encode())
    except ValueError:
        raise BadField("metadata holds a number that JSON does not have.") from None
    if size > settings.MAX_METADATA_BYTES:
        raise BadField(f"metadata has {size} bytes; at most {settings.MAX_METADATA_BYTES} are taken.")
    return data


def parse_external_id(value: Any) -> str:
    """Return the caller's own id of the item, such as a serial number."""
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise BadField("external_id must be up to 200 printable characters.")
    return value


def parse_prediction(value: Any, line: Line, classes: Sequence[str] | None = None) -> Scores | None:
    """Return the prediction that the caller brought, checked against the line's classes, which are looked up if not given."""
    if value in (None, ""):
        return None
    data = parse_json(value, "prediction") if isinstance(value, str) else value
    return parse_scores(data, list(classes_of(line) if classes is None else classes))


def classes_of(line: Line) -> list[str]:
    """Return the keys of the line's classes in their order."""
    return list(line.classes.order_by("position").values_list("key", flat=True))


def parse_consent(value: Any) -> bool:
    """Return whether the photo may be kept after the decision: true or false, in JSON or as text."""
    if value in (None, "", "true") or value is True:
        return True
    if value == "false" or value is False:
        return False
    raise BadField("consent must be true or false.")


def wait_of(request: HttpRequest) -> float:
    """Return the seconds for which the caller wants to wait for a decision, 0 to 60."""
    text = request.GET.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or not 0 <= seconds <= 60:
        raise BadField(f"wait must be between 0 and 60 seconds, not {text[:20]!r}.")
    return seconds


def arrival(line: Line, data: bytes, fields: dict[str, Any], classes: Sequence[str] | None = None) -> Arrival:
    """Check the fields and decode the photo. Raises BadField and InputRefused. With `classes` it needs no database."""
    refuse_unstorable(list(fields), "The name of a field")
    unknown = sorted(set(fields) - {"external_id", "metadata", "prediction", "consent"})
    if unknown:
        raise BadField(f"There is no field {', '.join(unknown)}; an item has external_id, metadata, prediction and consent.")
    for name, value in fields.items():
        refuse_unstorable(value, name)
    # The fields are cheap to check; the photo is decoded once everything else is known to be right.
    external_id, metadata = parse_external_id(fields.get("external_id")), parse_metadata(fields.get("metadata"))
    scores, consent = parse_prediction(fields.get("prediction"), line, classes), parse_consent(fields.get("consent"))
    return Arrival(data, kinds.get(line.kind).decode(data, limits=photo_limits()), external_id, metadata, scores, consent)


def _try_arrival(line: Line, file: File, fields: dict[str, Any]) -> Arrival | Refusal:
    try:
        return arrival(line, _bytes_of(file), fields)
    except (InputRefused, BadField) as refusal:
        return refusal


def _batch_fields(form: Form, count: int) -> Sequence[dict[str, Any]]:
    text = form.fields.get("items", "")
    if not text:
        return [{}] * count
    data = _loads(text, "items")
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise BadField("items must be a JSON list of objects.")
    if len(data) != count:
        raise BadField(f"items describes {len(data)} items and {count} files came.")
    return data


def _body_of(request: HttpRequest) -> bytes:
    """Read the raw body, and no more of it than is allowed."""
    too_large = BodyTooLarge(f"A photo may have {settings.MAX_PHOTO_BYTES} bytes.")
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired("Send the photo with a Content-Length; a chunked body cannot be read here.")
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and (len(length) > 15 or int(length) > settings.MAX_PHOTO_BYTES):
        raise too_large
    data: bytes = request.read(settings.MAX_PHOTO_BYTES + 1)
    if len(data) > settings.MAX_PHOTO_BYTES:
        raise too_large
    return data


def _refuse_address_fields(request: HttpRequest) -> None:
    """Beside a form they would be lost silently."""
    lost = sorted(set(request.GET) - {"wait"})
    if lost:
        raise BadField(f"A form has its fields in the form and not in the address, which has {', '.join(lost)}.")


def _bytes_of(file: File) -> bytes:
    if file.size > settings.MAX_PHOTO_BYTES:
        raise InputRefused(
            "image-too-large",
            "The photo is too large",
            f"It has {file.size} bytes; at most {settings.MAX_PHOTO_BYTES} are taken.",
        )
    return file.data


def _refuse_type(request: HttpRequest, line: Line) -> None:
    taken = ", ".join(kinds.get(line.kind).media_types)
    raise MediaTypeRefused(f"An item is {taken} or multipart/form-data, not {request.content_type or 'untyped'}.")


def _loads(text: str | bytes, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadField(f"{what} is not JSON: {error}.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that JSON has")


def _kind_of(value: Any) -> str:
    words = {list: "a list", str: "a text", bool: "a truth value", int: "a number", float: "a number", type(None): "null"}
    return words.get(type(value), "something else")
