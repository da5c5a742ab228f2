"""Next and judge, again and again, with 50,000 items open: Sluice as `serve` runs it beside Label Studio under gunicorn.

    python benchmarks/review.py [--waiting 50000] [--seconds 4] [--rounds 3] [--workers 1] [--label-studio DIR] [--alone]

Sluice is called as its console does, with a session and its CSRF token, on SQLite with synchronous=FULL, or on the database of
DATABASE_URL. Label Studio, on PostgreSQL, is called with a token, which costs it less.
`--label-studio` is where its environment is kept (made there where it is missing: two minutes and 1 GB); `--alone` leaves it
out. The two take turns. The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from label_studio import LabelStudio
from PIL import Image
from rich.console import Console
from rich.table import Table
from web import Caller, Ended, cpu_seconds, free_port

console = Console(width=150)
HERE = Path(__file__).resolve().parent
PEOPLE = 8


class Side(Protocol):
    """What is measured of either."""

    name: str

    def next(self, place: int) -> Any: ...
    def judge(self, place: int, found: Any) -> None: ...
    def ingest(self, place: int, photo: bytes) -> None: ...
    def cpu(self) -> float: ...
    def end(self) -> None: ...


@dataclass(frozen=True)
class Window:
    """What came of some seconds of work."""

    done: int
    seconds: float
    cpu: float
    # Milliseconds of each `next`, and of each whole turn.
    next_ms: list[float]
    turn_ms: list[float]


class Sluice:
    """A running Sluice with a line of so many open referrals, and a line for photos without a model."""

    name = "Sluice"

    def __init__(self, folder: Path, *, waiting: int, workers: int) -> None:
        self._port = free_port()
        environment = {**os.environ, "SLUICE_VAR": str(folder), "LOG_LEVEL": "ERROR", "WEB_WORKERS": str(workers)}
        told = subprocess.run(
            [sys.executable, str(HERE / "waiting_line.py"), str(waiting), str(PEOPLE)],
            env=environment, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._bearer = told.stdout.split()[-1]
        self._server = subprocess.Popen(
            [sys.executable, str(HERE.parent / "manage.py"), "serve", "--port", str(self._port)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()
        self._people = [self._log_in(place) for place in range(PEOPLE)]
        self._cameras = [Caller(self._port, {"Authorization": f"Bearer {self._bearer}"}) for _ in range(PEOPLE)]

    def next(self, place: int) -> Any:
        """Give the person of that place the next card."""
        return self._people[place].json("POST", "/lines/phones/console/next", {"want": 1})["cards"][0]["claim"]

    def judge(self, place: int, found: Any) -> None:
        """Answer it."""
        body, key = {"answer": "ok", "active_ms": 1500}, secrets.token_hex(16)
        self._people[place].json("POST", f"/console/claims/{found}/judge", body, **{"Idempotency-Key": key})

    def ingest(self, place: int, photo: bytes) -> None:
        """Send one photo."""
        self._cameras[place].send("POST", "/api/v1/lines/doors/items", photo, {"Content-Type": "image/jpeg"})

    def cpu(self) -> float:
        """Return the processor seconds of its processes."""
        return cpu_seconds(self._server.pid)

    def end(self) -> None:
        """Stop it."""
        self._server.terminate()
        self._server.wait(30)

    def _wait(self) -> None:
        caller, deadline = Caller(self._port, {}), time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                caller.send("GET", "/readyz", None, {})
            except (OSError, Ended):
                time.sleep(0.2)
            else:
                return
        raise SystemExit("Sluice did not answer within two minutes.")

    def _log_in(self, place: int) -> Caller:
        caller = Caller(self._port, {"Referer": f"http://localhost:{self._port}/"})
        caller.send("GET", "/login/", None, {})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        token = caller.headers["X-CSRFToken"]
        caller.send(
            "POST", "/login/", f"username=inspector-{place}&password=inspector&csrfmiddlewaretoken={token}".encode(), form
        )
        return caller


def main() -> None:
    """Start both, let them take turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="web processes of Sluice; Label Studio has two")
    parser.add_argument("--label-studio", type=Path, default=Path.home() / ".cache" / "sluice-label-studio")
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-review-", ignore_cleanup_errors=True) as folder:
        sides: list[Side] = []
        try:
            sides.append(Sluice(Path(folder) / "sluice", waiting=options.waiting, workers=options.workers))
            if not options.alone:
                peer = Path(folder) / "label-studio"
                sides.append(LabelStudio(options.label_studio, peer, people=PEOPLE, waiting=options.waiting))
            _show(sides, _measure(sides, options.seconds, options.rounds), options.waiting)
        finally:
            for side in sides:
                side.end()


def _measure(sides: list[Side], seconds: float, rounds: int) -> dict[tuple[str, int, str], list[Window]]:
    """Return the windows by (work, people, side)."""
    found: dict[tuple[str, int, str], list[Window]] = defaultdict(list)
    photo = _photo()
    for turn in range(rounds + 1):
        for people in (1, PEOPLE):
            for side in sides if turn % 2 else sides[::-1]:
                for work, step in (("loop", _loop(side)), ("ingest", _ingest(side, photo))):
                    window = _window(side, step, people, seconds if turn else 1.0)
                    # The first turn warms up.
                    found[work, people, side.name] += [window] if turn else []
    return found


def _loop(side: Side) -> Callable[[int], float]:
    def step(place: int) -> float:
        began = time.perf_counter()
        found = side.next(place)
        took = time.perf_counter() - began
        side.judge(place, found)
        return took * 1000

    return step


def _ingest(side: Side, photo: bytes) -> Callable[[int], float]:
    def step(place: int) -> float:
        # What comes behind the end of the picture makes each photo another one.
        side.ingest(place, photo + secrets.token_bytes(8))
        return 0.0

    return step


def _window(side: Side, step: Callable[[int], float], people: int, seconds: float) -> Window:
    next_ms: list[float] = []
    turn_ms: list[float] = []
    failed: list[BaseException] = []
    cpu, began = side.cpu(), time.perf_counter()

    def work(place: int) -> None:
        try:
            while time.perf_counter() - began < seconds:
                start = time.perf_counter()
                next_ms.append(step(place))
                turn_ms.append((time.perf_counter() - start) * 1000)
        except (OSError, Ended, KeyError, IndexError) as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{side.name}: {failed[0]!r}")
    return Window(len(turn_ms), time.perf_counter() - began, side.cpu() - cpu, next_ms, turn_ms)


def _show(sides: list[Side], found: dict[tuple[str, int, str], list[Window]], waiting: int) -> None:
    table = Table(title=f"{waiting:,} open")
    for title in ("work", "people", "side", "a second", "next p50 ms", "turn p50 / p99 ms", "processor ms each"):
        table.add_column(title, justify="left" if title in {"work", "side"} else "right")
    facts: dict[str, Any] = {}
    for (work, people, side), windows in found.items():
        rate = statistics.median(window.done / window.seconds for window in windows)
        turns = [took for window in windows for took in window.turn_ms]
        nexts = float(np.median([took for window in windows for took in window.next_ms]))
        cpu = sum(window.cpu for window in windows) / sum(window.done for window in windows) * 1000
        shown = f"{nexts:.1f}" if work == "loop" else ""
        turn = f"{np.median(turns):.1f} / {np.percentile(turns, 99):.1f}"
        table.add_row(work, str(people), side, f"{rate:.1f}", shown, turn, f"{cpu:.1f}")
        facts[f"{work}_{people}_{side.split()[0].lower()}"] = {
            "rate": round(rate, 1),
            "next_p50": nexts,
            "cpu_ms": round(cpu, 1),
        }
    console.print(table)
    console.print(json.dumps((_ratios(facts) if len(sides) > 1 else {}) | {"waiting": waiting, **facts}), soft_wrap=True)


def _ratios(facts: dict[str, Any]) -> dict[str, Any]:
    def ratio(work: str, people: int, figure: str) -> float:
        ours, theirs = (facts[f"{work}_{people}_{side}"][figure] for side in ("sluice", "label"))
        return round(float(ours / theirs), 3)

    return {
        "loops_vs_label_studio": ratio("loop", PEOPLE, "rate"),
        "loops_vs_label_studio_alone": ratio("loop", 1, "rate"),
        "next_p50_ratio": ratio("loop", 1, "next_p50"),
        "next_p50_ratio_8": ratio("loop", PEOPLE, "next_p50"),
        "ingest_vs_label_studio": ratio("ingest", PEOPLE, "rate"),
        "ingest_vs_label_studio_alone": ratio("ingest", 1, "rate"),
        "loop_cpu_ratio": ratio("loop", PEOPLE, "cpu_ms"),
        "ingest_cpu_ratio": ratio("ingest", PEOPLE, "cpu_ms"),
    }


def _photo() -> bytes:
    """Return a photo of 640 by 480 with some 60 KB."""
    shades = np.random.default_rng(1).normal(128, 22, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(shades).save(out, "JPEG", quality=45)
    return out.getvalue()


if __name__ == "__main__":
    main()
