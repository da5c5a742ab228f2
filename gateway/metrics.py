"""What the main road counts and times in this process. A stage costs two looks at the clock and one histogram."""

from __future__ import annotations

from time import perf_counter
from types import TracebackType

from prometheus_client import Counter, Histogram

REQUESTS = Counter("sluice_requests_total", "Requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "sluice_request_seconds",
    "Seconds from a request to the head of its answer.",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
STAGE_SECONDS = Histogram(
    "sluice_stage_seconds",
    "Seconds that a stage of the main road took for a batch. The record holds the decide.",
    ["stage"],
    buckets=(0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
ITEMS = Counter("sluice_items_total", "Items taken, by where the policy sent them.", ["line", "mode", "route", "reason"])
BYTES = Counter("sluice_photo_bytes_total", "Bytes of the photos taken.", ["line"])

STAGES = ("door", "predict", "store", "decide", "record")
# Looked up once: a label's child costs as much as the observation.
_timers = {name: STAGE_SECONDS.labels(name) for name in STAGES}


class stage:  # noqa: N801 (it reads like a statement: `with stage("predict"):`)
    """Times what is inside as one stage of the road, also where it fails."""

    __slots__ = ("_started", "_timer")

    def __init__(self, name: str) -> None:
        self._timer = _timers[name]

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.observe(perf_counter() - self._started)
