"""One answer to a scrape from several web processes.

A scrape reaches one of them, so each writes its figures into files of a common folder, from which whoever is asked adds them
up. With one process there is nothing to add and nothing is written. `serve` empties the folder before it starts them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Read by prometheus_client when it is imported.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def environment() -> dict[str, str]:
    """Return what the web processes need in their environment; an empty folder where there are several."""
    if settings.WEB_WORKERS < 2:
        return {}
    folder = Path(settings.VAR_DIR) / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {VARIABLE: str(folder)}


def exposition() -> bytes:
    """Return the counters, gauges and histograms of this process, or of all where there are several."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """A backlog that nobody serves any more is none. What the dead have counted stays counted."""
    for path in folder.glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
