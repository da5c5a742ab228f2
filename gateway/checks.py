"""Wrong settings, found by `manage.py check` with an id and a hint instead of at three in the morning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlparse

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

LOCAL = {"localhost", "127.0.0.1", "[::1]", "testserver"}
SYNCHRONOUS = {"OFF", "NORMAL", "FULL", "EXTRA"}


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong with the settings as they are."""
    return [*_broker(), *_durability(), *_reach(), *_threads()]


def _broker() -> Iterator[CheckMessage]:
    scheme = urlparse(settings.REDIS_URL).scheme
    if settings.REDIS_URL and scheme not in {"redis", "rediss", "redis+socket"}:
        hint = "Use redis://host:6379/0, rediss:// for TLS, or leave it unset for the embedded broker."
        yield Error(f"REDIS_URL has the scheme {scheme!r}.", hint=hint, id="gateway.E001")


def _durability() -> Iterator[CheckMessage]:
    if settings.DURABILITY not in {"full", "normal"}:
        hint = "Use full, which survives a power cut, or normal, which survives the end of the program."
        yield Error(f"DURABILITY is {settings.DURABILITY!r}.", hint=hint, id="gateway.E020")
    chosen = settings.SQLITE_SYNCHRONOUS.upper()
    if chosen not in SYNCHRONOUS:
        hint = f"Use one of {', '.join(sorted(SYNCHRONOUS))}."
        yield Error(f"SQLITE_SYNCHRONOUS is {settings.SQLITE_SYNCHRONOUS!r}.", hint=hint, id="gateway.E002")
    elif chosen == "OFF":
        hint = "With OFF a power cut can lose acknowledged items or the whole database. Use FULL."
        yield Warning("SQLITE_SYNCHRONOUS is OFF.", hint=hint, id="gateway.W001")


def _reach() -> Iterator[CheckMessage]:
    outside = sorted(set(settings.ALLOWED_HOSTS) - LOCAL)
    if outside and not settings.SESSION_COOKIE_SECURE and not settings.DEBUG:
        hint = "Serve it through HTTPS and set SECURE_COOKIES=true."
        yield Warning(f"Sessions travel in the clear to {', '.join(outside)}.", hint=hint, id="gateway.W002")
    if outside and settings.DEBUG:
        hint = "Unset DEBUG: its error pages show settings and source to whoever can reach the service."
        yield Error("DEBUG is on where others can reach the service.", hint=hint, id="gateway.E003")


def _threads() -> Iterator[CheckMessage]:
    if settings.MAX_WAITING_REQUESTS >= settings.WEB_THREADS:
        hint = "Set it to a third of WEB_THREADS: each waiting request holds a thread."
        yield Error("MAX_WAITING_REQUESTS could take every thread of the server.", hint=hint, id="gateway.E004")
    if settings.MODEL_CONCURRENCY >= settings.WEB_THREADS:
        hint = "Set it to half of WEB_THREADS: a model that hangs holds a thread for each place."
        yield Error("MODEL_CONCURRENCY could take every thread of the server.", hint=hint, id="gateway.E005")
    # An archive whose sender fell silent keeps its thread after its place: see `gateway.archive_api`.
    if settings.MAX_ARCHIVES * 4 >= settings.WEB_THREADS:
        hint = "Set it to 2: more archives at the same time are not faster, and each may hold four threads."
        yield Error("MAX_ARCHIVES could take every thread of the server.", hint=hint, id="gateway.E023")
