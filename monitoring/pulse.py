"""Whether a worker lives, and how many messages wait for one: both are asked of the broker, which a living worker writes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from prometheus_client.core import GaugeMetricFamily
from redis.exceptions import RedisError

KEY = "sluice:pulse"
QUEUE = "celery"


def beat(clock: Callable[[], float] = time.time) -> None:
    """Note that a worker did something just now. Raises nothing where the broker is away: then nobody looks either."""
    try:
        with _broker() as client:
            client.set(KEY, clock())
    except (OperationalError, RedisError, OSError):
        return


def gauges() -> list[GaugeMetricFamily]:
    """Return the gauges, without values where the broker cannot be reached."""
    up = GaugeMetricFamily("sluice_broker_up", "1 where the broker can be reached.")
    waiting = GaugeMetricFamily("sluice_broker_messages", "Messages that wait for a worker.")
    pulse = GaugeMetricFamily("sluice_worker_pulse_seconds", "Seconds since a worker last did something.")
    try:
        with _broker() as client:
            messages, last = client.llen(QUEUE), client.get(KEY)
    except (OperationalError, RedisError, OSError):
        up.add_metric([], 0)
        return [up, waiting, pulse]
    up.add_metric([], 1)
    waiting.add_metric([], messages)
    if last is not None:
        pulse.add_metric([], max(0.0, time.time() - float(last)))
    return [up, waiting, pulse]


@contextmanager
def _broker() -> Iterator[Any]:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    with Connection(settings.CELERY_BROKER_URL, transport_options=options, connect_timeout=1) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=1)
        channel: Any = connection.default_channel
        yield channel.client
