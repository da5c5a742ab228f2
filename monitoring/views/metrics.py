"""The address that Prometheus scrapes."""

from __future__ import annotations

import hmac
import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from gateway import metrics_files
from monitoring import operating, pulse
from monitoring.operating import Cached

logger = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "::1"}
# What a proxy adds; who came through one does not come from this machine, wherever the proxy stands.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")

# Each with its own age: what costs more is asked less often.
registry = CollectorRegistry()
for read, seconds in (
    (operating.queues, 5.0),
    (operating.work, 5.0),
    (operating.dials, 5.0),
    (operating.guardrails, 30.0),
    (pulse.gauges, 5.0),
):
    registry.register(Cached(read, seconds))


@require_GET
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics in Prometheus' text format, to whoever may see them."""
    if not _may_see(request):
        words = "Send METRICS_TOKEN as a bearer token; without that setting only this machine is answered.\n"
        return HttpResponse(words, status=403, content_type="text/plain")
    return HttpResponse(metrics_files.exposition() + _from_database(), content_type=CONTENT_TYPE_LATEST)


def _from_database() -> bytes:
    """What the processes know is told even where the database is away, which their figures then explain."""
    try:
        return generate_latest(registry)
    except DatabaseError as error:
        logger.warning("no figures from the database: %s", error)
        return b""


def _may_see(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(secret.strip().encode(), settings.METRICS_TOKEN.encode())
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not any(name in request.META for name in FORWARDED)
