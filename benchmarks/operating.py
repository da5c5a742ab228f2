"""What watching costs: CPU microseconds a single post for metrics, request id and access line, each by itself.

`python -m benchmarks.operating` needs no database; the last line is JSON.
"""

from __future__ import annotations

import io
import json
import logging
import os
import tempfile
from collections.abc import Callable
from time import process_time
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
os.environ.setdefault("SLUICE_VAR", tempfile.mkdtemp(prefix="sluice-bench-"))

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from gateway.access import Access  # noqa: E402
from gateway.counting import count_outcomes  # noqa: E402
from gateway.log_context import JsonFormatter  # noqa: E402
from gateway.metrics import STAGES, stage  # noqa: E402

TIMES = 20_000


def microseconds(call: Callable[[], Any]) -> float:
    """Return the CPU time of one call, the best of five rounds."""
    rounds = []
    for _ in range(5):
        started = process_time()
        for _ in range(TIMES):
            call()
        rounds.append(process_time() - started)
    return min(rounds) / TIMES * 1e6


def stages() -> None:
    for name in STAGES:
        with stage(name):
            pass


def main() -> None:
    item = SimpleNamespace(
        line=SimpleNamespace(slug="phones"), policy=SimpleNamespace(mode="full"), route="automate", reason="full", media_bytes=9
    )
    outcomes: Any = [SimpleNamespace(item=item)]
    request = RequestFactory().post("/api/v1/lines/phones/items")
    request.resolver_match = SimpleNamespace(route="api/v1/lines/<slug:slug>/items", kwargs={"slug": "phones"})  # type: ignore[assignment]
    response = HttpResponse()
    access = Access(lambda _: response)
    logger, handler = logging.getLogger("gateway.access"), logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel("INFO")

    found = {"stages": microseconds(stages), "counts": microseconds(lambda: count_outcomes(outcomes))}
    settings.ACCESS_LOG = False
    found["request_id_and_count"] = microseconds(lambda: access(request))
    settings.ACCESS_LOG = True
    found["with_access_line"] = microseconds(lambda: access(request))
    found["a_post_in_all"] = found["stages"] + found["counts"] + found["with_access_line"]
    print(json.dumps({name: round(value, 1) for name, value in found.items()}))


if __name__ == "__main__":
    main()
