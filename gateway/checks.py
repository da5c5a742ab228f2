"""Wrong settings, found by `manage.py check` with an id and a hint instead of at three in the morning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from gateway.databases import NO_DATABASE, POSTGRESQL, SQLITE, database

LOCAL = {"localhost", "127.0.0.1", "[::1]", "testserver"}
SYNCHRONOUS = {"OFF", "NORMAL", "FULL", "EXTRA"}


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong with the settings as they are."""
    return [*_broker(), *_durability(), *_reach(), *_threads(), *_logs(), *_webhooks(), *_engines()]


def _broker() -> Iterator[CheckMessage]:
    scheme = urlparse(settings.REDIS_URL).scheme
    if settings.REDIS_URL and scheme not in {"redis", "rediss", "redis+socket"}:
        hint = "Use redis://host:6379/0, rediss:// for TLS, or leave it unset for the embedded broker."
        yield Error(f"REDIS_URL has the scheme {scheme!r}.", hint=hint, id="gateway.E001")


def _durability() -> Iterator[CheckMessage]:
    if settings.DURABILITY not in {"full", "normal"}:
        hint = "Use full, which survives a power cut, or normal, which survives the end of the program."
        yield Error(f"DURABILITY is {settings.DURABILITY!r}.", hint=hint, id="gateway.E011")
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


def _logs() -> Iterator[CheckMessage]:
    if settings.LOG_FORMAT not in {"plain", "json"}:
        hint = "Use plain for people or json for machines."
        yield Error(f"LOG_FORMAT is {settings.LOG_FORMAT!r}.", hint=hint, id="gateway.E008")
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < 16:
        hint = "Use a long random one: python -c 'import secrets; print(secrets.token_urlsafe(32))'."
        yield Warning("METRICS_TOKEN can be guessed.", hint=hint, id="gateway.W005")


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
        yield Error("MAX_ARCHIVES could take every thread of the server.", hint=hint, id="gateway.E010")


def _webhooks() -> Iterator[CheckMessage]:
    for text in settings.WEBHOOK_ALLOWED_NETWORKS:
        try:
            ip_network(text)
        except ValueError:
            hint = "Name networks such as 10.20.0.0/16 or fd00::/8, with all bits behind the prefix zero."
            yield Error(f"WEBHOOK_ALLOWED_NETWORKS has {text!r}.", hint=hint, id="gateway.E020")
    if settings.PUBLIC_URL and urlparse(settings.PUBLIC_URL).scheme not in {"http", "https"}:
        yield Error(f"PUBLIC_URL is {settings.PUBLIC_URL!r}.", hint="Use https://sluice.example.org.", id="gateway.E021")
    if settings.WEBHOOK_CA_FILE and not Path(settings.WEBHOOK_CA_FILE).is_file():
        hint = "Name a file of certificates in PEM form, or leave it unset for the public authorities."
        yield Error(f"WEBHOOK_CA_FILE is {settings.WEBHOOK_CA_FILE!r}, and no file.", hint=hint, id="gateway.E022")
    if settings.WEBHOOK_ALLOW_HTTP and not settings.DEBUG:
        hint = "Unset WEBHOOK_ALLOW_HTTP: anybody on the way can read what is sent without TLS."
        yield Warning("Webhooks may be sent in the clear.", hint=hint, id="gateway.W020")


def _engines() -> Iterator[CheckMessage]:
    found = database(settings.DATABASE_URL, settings.VAR_DIR, synchronous=settings.SQLITE_SYNCHRONOUS)
    if found["ENGINE"] == NO_DATABASE:
        # Not the whole address: it has a password.
        scheme = settings.DATABASE_URL.partition(":")[0]
        hint = "Use postgresql://user:password@host:5432/name or sqlite:///path; quote what a password has (%40 for @)."
        yield Error(f"DATABASE_URL, of the scheme {scheme!r}, cannot be understood.", hint=hint, id="gateway.E006")
    far = found["ENGINE"] == POSTGRESQL and found["HOST"] not in {"", *LOCAL}
    if far and "sslmode" not in found["OPTIONS"]:
        hint = "Add ?sslmode=verify-full (or require) to DATABASE_URL; ?sslmode=disable where the network is your own."
        yield Warning(f"Nothing says that {found['HOST']} is asked through TLS.", hint=hint, id="gateway.W003")
    if settings.WEB_WORKERS > 1 and found["ENGINE"] == SQLITE:
        hint = "Use PostgreSQL, or one process: several take turns at SQLite's one writer, and are hardly faster than one."
        yield Warning(f"{settings.WEB_WORKERS} web processes share a SQLite file.", hint=hint, id="gateway.W004")
    bucket = urlparse(settings.MEDIA_STORAGE_URL)
    if settings.MEDIA_STORAGE_URL and (bucket.scheme != "s3" or not bucket.netloc or bucket.query):
        hint = "Use s3://bucket/folder; endpoint, region and keys come from AWS_ENDPOINT_URL_S3 and the other AWS_ names."
        yield Error(f"MEDIA_STORAGE_URL is {settings.MEDIA_STORAGE_URL!r}.", hint=hint, id="gateway.E007")
