"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from kombu import Connection
from kombu.exceptions import OperationalError

from gateway import media
from gateway.models import Deployment, Role
from gateway.stopping import is_stopping
from inference import service
from policies.changes import active_policy
from policies.modes import Mode

# Less room than a few photos and the database's journal need.
LEAST_FREE_BYTES = 128 * 1024 * 1024
# Seconds for which what was found out about the broker holds: a balancer asks every second, and one that is down takes one.
BROKER_SECONDS = 5.0


@login_not_required
def live(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process can answer at all."""
    return JsonResponse({"status": "ok"})


@login_not_required
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 503 where an item could not be taken durably, or where the service is stopping.

    A model or a broker that is away is told and no reason to turn cameras away: the items go to people, and the clock makes up
    for messages. `status` is ok, degraded or unavailable; what is wrong stands beside it.
    """
    if is_stopping():
        return JsonResponse({"status": "stopping"}, status=503)
    wrong = {name: words for name, check in (("database", _database), ("media", _media)) if (words := check())}
    if wrong:
        return JsonResponse({"status": "unavailable", **wrong}, status=503)
    missing = {name: words for name, check in (("models", _models), ("broker", broker.state)) if (words := check())}
    return JsonResponse({"status": "degraded" if missing else "ok", **missing})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return type(error).__name__
    return ""


def _media() -> str:
    """Photos are written first, so without room for them nothing can be taken."""
    if settings.MEDIA_STORAGE_URL:
        return bucket.state()
    folder = Path(settings.VAR_DIR) / "media"
    try:
        place = folder if folder.is_dir() else folder.parent
        facts = os.statvfs(place)
    except OSError as error:
        return error.strerror or "not there"
    if not os.access(place, os.W_OK):
        return "cannot be written"
    return "" if facts.f_bavail * facts.f_frsize >= LEAST_FREE_BYTES else "the disk is full"


def _models() -> str:
    """Only what a line would use now: a champion of a line that asks no model may sleep."""
    serving = Deployment.objects.filter(role=Role.CHAMPION, ended_at=None, line__retired_at=None)
    serving = serving.select_related("line", "model_version").defer("model_version__card", "model_version__metrics")
    wanted = [one.model_version for one in serving if Mode(active_policy(one.line).mode).runs_model]
    missing = sum(not service.is_loaded(version) for version in wanted)
    return f"{missing} of {len(wanted)} not loaded" if missing else ""


class Broker:
    """Whether the broker, or the bucket, can be reached, asked at most every BROKER_SECONDS and by one thread at a time."""

    def __init__(self, ask: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._asked_at, self._found = float("-inf"), ""

    def state(self) -> str:
        """Return what is wrong with it, empty where nothing is."""
        if self._clock() - self._asked_at >= BROKER_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._found = self._ask()
                self._asked_at = self._clock()
            finally:
                self._lock.release()
        return self._found


def _ask_broker() -> str:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    try:
        with Connection(settings.CELERY_BROKER_URL, transport_options=options, connect_timeout=1) as asked:
            asked.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=1)
    except (OperationalError, OSError):
        return "cannot be reached"
    return ""


def _ask_bucket() -> str:
    elsewhere = media.bucket()
    try:
        if elsewhere is not None:
            elsewhere.look()
    except OSError:
        return "the bucket cannot be reached"
    return ""


broker, bucket = Broker(_ask_broker), Broker(_ask_bucket)
