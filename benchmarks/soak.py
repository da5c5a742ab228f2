"""Half an hour at 70 % of what it can take: does memory grow, do answers become slower?

    python benchmarks/soak.py [--minutes 30] [--share 0.7]

A whole Sluice runs in processes of its own: cameras post at an even pace, inspectors judge, webhooks are delivered. First a
minute finds out how many posts a second it takes. The last line of the output is one JSON object: growth of memory (the
proportional set size of all processes together) and of the median and the 99th percentile of the answers from minute 5 to the
end, as shares.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import scratch

if TYPE_CHECKING:
    from faulty.town import Town

SETTLED_MINUTES = 5
CLIENTS = 16
CAPACITY_SECONDS = 60.0


@dataclass
class Minute:
    """What one minute was like."""

    waits_ms: list[float] = field(default_factory=list)
    megabytes: float = 0.0


def main() -> None:
    """Find the capacity, run at a share of it, and print what changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.7)
    chosen = parser.parse_args()
    os.environ |= {"ALLOWED_HOSTS": "testserver,127.0.0.1", "LOG_LEVEL": "WARNING"}
    os.environ |= {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "WEBHOOK_ALLOW_HTTP": "true"}
    scratch.begin()
    from faulty.town import Town

    town = Town()
    try:
        town.start(cameras=0)
        load = Load(town)
        capacity = len(load.run(CAPACITY_SECONDS, lambda number: 0.0)) / CAPACITY_SECONDS
        pace = capacity * chosen.share
        print(f"{capacity:.0f} posts a second at most; {pace:.0f} from now on", flush=True)
        minutes = [_minute(town, load, pace, number) for number in range(chosen.minutes)]
    finally:
        town.close()
    _show(minutes)


class Load:
    """Clients that post, each photo as its own item."""

    def __init__(self, town: Town) -> None:
        from faulty.people import photo
        from faulty.town import LINE

        self._address = f"{town.url}/api/v1/lines/{LINE}/items"
        self._headers = {"Authorization": f"Bearer {town.secret}", "Content-Type": "image/jpeg"}
        self._photo, self._numbers, self._lock = photo, count(), threading.Lock()
        self._client = httpx.Client(limits=httpx.Limits(max_connections=CLIENTS), timeout=30)

    def run(self, seconds: float, due: Callable[[int], float]) -> list[float]:
        """Post for so many seconds, the n-th post not before `due(n)` seconds; return how long each took, in milliseconds."""
        begin, waits, sent = time.monotonic(), list[float](), count()

        def post() -> None:
            while True:
                with self._lock:
                    number, at = next(self._numbers), begin + due(next(sent))
                time.sleep(max(0.0, min(at, begin + seconds) - time.monotonic()))
                if (started := time.monotonic()) >= begin + seconds:
                    return
                answer = self._client.post(self._address, content=self._photo(number), headers=self._headers)
                if answer.status_code == 201:
                    waits.append((time.monotonic() - started) * 1000)
                elif answer.status_code != 503:
                    raise SystemExit(f"{answer.status_code}: {answer.text[:200]}")

        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(post) for _ in range(CLIENTS)]:
                done.result()
        return waits


def _minute(town: Town, load: Load, pace: float, number: int) -> Minute:
    waits = load.run(60.0, lambda sent: sent / pace)
    pids = [process.pid for process in (town.web, town.worker, town.broker)]
    found = Minute(waits, sum(_megabytes(pid) for pid in pids))
    middle, late = np.percentile(waits, [50, 99])
    print(
        f"minute {number + 1:2}: {len(waits)} posts, p50 {middle:.1f} ms, p99 {late:.1f} ms, {found.megabytes:.0f} MB",
        flush=True,
    )
    return found


def _megabytes(first: int) -> float:
    """Return the proportional set size of a process and all that it started."""
    total = 0
    for line in Path(f"/proc/{first}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            total = int(line.split()[1])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return total / 1024 + sum(_megabytes(int(child)) for child in children)


def _show(minutes: list[Minute]) -> None:
    """Print the growth between the minutes after the settling and the last ones, as shares."""
    settled = minutes[SETTLED_MINUTES:] or minutes
    third = max(1, len(settled) // 3)
    early, late = settled[:third], settled[-third:]

    def growth(figure: Callable[[Minute], float]) -> float:
        return round(float(np.median([figure(one) for one in late]) / np.median([figure(one) for one in early]) - 1), 4)

    figures = {
        "minutes": len(minutes),
        "posts": sum(len(one.waits_ms) for one in minutes),
        "memory_growth": growth(lambda one: one.megabytes),
        "p50_growth": growth(lambda one: float(np.percentile(one.waits_ms, 50))),
        "p99_growth": growth(lambda one: float(np.percentile(one.waits_ms, 99))),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
