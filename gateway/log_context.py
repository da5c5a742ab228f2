"""What a log record is about: request, item, line, caller, task. Bound once, and in every record until the request ends."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_fields: ContextVar[dict[str, Any]] = ContextVar("log_fields", default={})  # noqa: B039 (never changed, only replaced)


def bind(**fields: Any) -> None:
    """Add fields to what is logged from here on, in this request or task."""
    _fields.set(_fields.get() | fields)


def bound() -> dict[str, Any]:
    """Return the fields as they are now."""
    return _fields.get()


@contextmanager
def only(**fields: Any) -> Iterator[None]:
    """Begin with these fields and nothing else; a thread that served somebody before knows nothing of it."""
    token = _fields.set(fields)
    try:
        yield
    finally:
        _fields.reset(token)


class PlainFormatter(logging.Formatter):
    """For people: the line, and in brackets what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, or more where there is a traceback."""
        fields = bound() | getattr(record, "fields", {})
        about = " ".join(f"{name}={_short(value)}" for name, value in fields.items())
        return f"{super().format(record)} [{about}]" if about else super().format(record)


class JsonFormatter(logging.Formatter):
    """For machines: one JSON object a line, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **bound(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 1:
        return f"{value[0]}+{len(value) - 1}"
    return str(value[0] if isinstance(value, list) and value else value)
