"""Two web workers against one, on one PostgreSQL: does a second core give as much as the first?

    python benchmarks/workers.py [--seconds 4] [--rounds 3] [--models "50 MMAC,default"]

One worker has one core to itself, two have both, which they share with the client and the database. So the goal can be seen
where these take little: with the default model. `cpu` is photos a CPU-second of two workers over one: what is lost where two
write to one database. Twice that is what they would do on cores of their own, `free`. Every photo is a new one, and everything
answered is looked for in the database. Needs two cores. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from faulty.postgres import Postgres

_database = Postgres(Path(gettempdir()))
_database.start()
os.environ["DATABASE_URL"] = _database.url

import road  # noqa: E402 (begins a scratch Sluice, on the database above)
import small_model  # noqa: E402
from django.conf import settings  # noqa: E402
from servers import Side, Window, load  # noqa: E402

CONCURRENCY = 16


def main() -> None:
    """Run both in turn and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="50 MMAC,default")
    arguments = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("This needs two cores.")
    folder = Path(mkdtemp(dir=settings.VAR_DIR))
    for number, photo in enumerate(small_model.photos()):
        (folder / f"{number:02d}.jpg").write_bytes(photo)
    figures: dict[str, float] = {}
    for title in arguments.models.split(","):
        found = _measure(title, folder, arguments.seconds, arguments.rounds)
        figures |= {f"{title}: {name}": round(value, 3) for name, value in found.items()}
    print(json.dumps({"two_workers_vs_one": figures.get("default: wall"), **figures}))


def _measure(title: str, folder: Path, seconds: float, rounds: int) -> dict[str, float]:
    slug, backbone = road.LINES[title]
    token = road.make_line(slug, backbone)
    windows: dict[int, list[Window]] = {1: [], 2: []}
    with ExitStack() as stack:
        sides = {workers: stack.enter_context(_sluice(token, slug, workers)) for workers in windows}
        for side in sides.values():
            road.check_durable(load(side, folder, concurrency=CONCURRENCY, seconds=2, keep=True))
        for _ in range(rounds):
            for workers, side in sides.items():
                windows[workers].append(load(side, folder, concurrency=CONCURRENCY, seconds=seconds))
    for workers, seen in windows.items():
        rate, cpu = (statistics.median(getattr(one, name) for one in seen) for name in ("a_second", "a_cpu_second"))
        print(f"{title}, {workers} workers: {rate:7.1f}/s {cpu:7.1f} a CPU-second, p99 {seen[0].p99_ms:.0f} ms")
    pairs = list(zip(windows[1], windows[2], strict=True))
    return {
        "wall": statistics.median(two.a_second / one.a_second for one, two in pairs),
        "cpu": (cpu := statistics.median(two.a_cpu_second / one.a_cpu_second for one, two in pairs)),
        "free": 2 * cpu,
    }


def _sluice(token: str, slug: str, workers: int) -> AbstractContextManager[Side]:
    """Run the web server with so many workers on as many cores; each computes one pass at a time."""
    cores = ",".join(str(core) for core in range(workers))
    env = {"MODEL_THREADS": "1", "DURABILITY": "full"}
    return road.sluice(token, slug, f"{workers} workers", env, before=["taskset", "-c", cores], workers=workers)


if __name__ == "__main__":
    sys.exit(main())
