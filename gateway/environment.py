"""Readers for environment variables that refuse nonsense instead of guessing."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def env_str(name: str, default: str = "") -> str:
    """Return the variable's text, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def env_bool(name: str, default: bool) -> bool:
    """Return True for `true` and False for `false`; anything else is refused."""
    text = os.environ.get(name)
    if not text:
        return default
    if text.lower() not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return text.lower() == "true"


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    text = os.environ.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {value}.")
    return value


def env_list(name: str, default: list[str]) -> list[str]:
    """Return a comma-separated list without empty entries."""
    text = os.environ.get(name)
    return [part.strip() for part in text.split(",") if part.strip()] if text else default


def buckets(url: str) -> dict[str, dict[str, Any]]:
    """Return Django's storages for photos and for weights in the bucket at `url`, such as s3://bucket/folder."""
    parts = urlsplit(url)
    folder = parts.path.strip("/")
    return {
        alias: {
            "BACKEND": "gateway.bucket.Bucket",
            "OPTIONS": {"bucket_name": parts.netloc, "location": f"{folder}/{name}".lstrip("/")},
        }
        for alias, name in (("photos", "media"), ("weights", "models"))
    }
