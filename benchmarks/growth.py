"""Does anything grow with the table? Every page and call on a short and on a long history of the same line.

    python benchmarks/growth.py [10000 1000000] [--keep DIR] [--rounds 150] [--per-day 10000] [--without-sums]

Each size has a database of its own and a process that makes the calls; the two take turns, so that whatever else the machine
does falls on both. `--keep DIR` keeps the databases there and takes them again. With DATABASE_URL both are databases made on
that PostgreSQL server. Times are those of the server: the whole of Django without the network. The last line of the output is
one JSON object; a ratio is the p95 of the largest size over that of the smallest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

console = Console(width=150)
HERE = Path(__file__).resolve().parent
# Calls of a reviewer's loop belong together: one judges what the one before took.
LOOP = ("next", "judge", "revise")


class Side:
    """A database of so many items and the process that calls on it."""

    def __init__(self, folder: Path, items: int, per_day: int, *, sums: bool) -> None:
        self.items = items
        self._environment = _environment(folder / str(items), items)
        if not (folder / str(items) / "built").exists():
            _make_database(self._environment.get("DATABASE_URL", ""))
            self._run("build", str(items), str(per_day)).wait_for_end()
            (folder / str(items) / "built").touch()
        self._process = self._run("serve", "sums" if sums else "")
        self.names: list[str] = self._process.read()

    def call(self, names: list[str], times: int) -> Any:
        """Return what each call took: [times][names] of (clock, processor) in milliseconds."""
        return self._process.ask({"names": names, "times": times})

    def statements(self, name: str, most: int) -> Any:
        """Return the slowest statements of a call with their milliseconds."""
        return self._process.ask({"name": name, "statements": most})

    def end(self) -> None:
        """End the process."""
        self._process.end()

    def _run(self, *words: str) -> Child:
        return Child([sys.executable, str(HERE / "growth.py"), "--child", *words], self._environment)


class Child:
    """A process that is asked in JSON lines and answers in JSON lines."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        # Its progress bar goes to our own terminal.
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self) -> Any:
        """Return the next answer."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("A child process ended early.")
        return json.loads(line)

    def ask(self, order: dict[str, Any]) -> Any:
        """Ask and return the answer."""
        if self._process.stdin:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        return self.read()

    def wait_for_end(self) -> None:
        """Wait until it has ended well."""
        if self._process.wait() != 0:
            raise SystemExit("Building the database failed.")

    def end(self) -> None:
        """Close its input, upon which it ends."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--per-day", type=int, default=10_000, help="Items that arrive a day, on all lines together.")
    parser.add_argument("--without-sums", action="store_true", help="As where no worker has ever been.")
    parser.add_argument("--only", default="", help="Measure only calls whose name holds this, or one of these: next|judge.")
    parser.add_argument("--statements", type=int, default=0, help="Show so many of the slowest statements of each call.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-growth-") as folder:
        sums = not options.without_sums
        sides = [Side(options.keep or Path(folder), items, options.per_day, sums=sums) for items in options.sizes]
        wanted = options.only.split("|")
        names = [name for name in sides[0].names if any(part in name for part in wanted)]
        if options.statements:
            _show_statements(sides[-1], names, options.statements)
        _show(sides, _measure(sides, names, options.rounds))
        for side in sides:
            side.end()


def _measure(sides: list[Side], names: list[str], rounds: int) -> dict[str, dict[int, Any]]:
    """Return for each call and size the milliseconds [rounds, 2]; the sizes take turns call by call."""
    groups = [[name for name in names if name in LOOP], *([name] for name in names if name not in LOOP)]
    found: dict[str, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for group in filter(None, groups):
        for side in sides:
            side.call(group, 2)
        for turn in range(rounds):
            for side in sides if turn % 2 else sides[::-1]:
                for name, took in zip(group, side.call(group, 1)[0], strict=True):
                    found[name][side.items].append(took)
    return {name: {items: np.array(took) for items, took in sizes.items()} for name, sizes in found.items()}


def _show(sides: list[Side], found: dict[str, dict[int, Any]]) -> None:
    table = Table(title="Milliseconds on the server, p50 / p95 by the clock (p50 of the processor)")
    table.add_column("call")
    for side in sides:
        table.add_column(f"{side.items:,} items", justify="right")
    table.add_column("p95 ratio", justify="right")
    table.add_column("processor p50 ratio", justify="right")
    small, large = sides[0].items, sides[-1].items
    answer: dict[str, Any] = {"sizes": [side.items for side in sides], "p95_ratio": {}, "cpu_p50_ratio": {}, "p50_ms": {}}
    for name, sizes in found.items():
        p95 = {items: float(np.percentile(took[:, 0], 95)) for items, took in sizes.items()}
        p50 = {items: np.percentile(took, 50, axis=0) for items, took in sizes.items()}
        answer["p95_ratio"][name] = round(p95[large] / p95[small], 2)
        answer["cpu_p50_ratio"][name] = round(float(p50[large][1] / p50[small][1]), 2)
        answer["p50_ms"][name] = round(float(p50[large][0]), 2)
        cells = [f"{p50[items][0]:.1f} / {p95[items]:.1f}  ({p50[items][1]:.1f})" for items in answer["sizes"]]
        table.add_row(name, *cells, f"{answer['p95_ratio'][name]:.2f}", f"{answer['cpu_p50_ratio'][name]:.2f}")
    console.print(table)
    console.print(json.dumps(answer), soft_wrap=True, highlight=False, markup=False)


def _show_statements(side: Side, names: list[str], most: int) -> None:
    for name in names:
        console.print(f"\n[bold]{name}")
        for took, statement in side.statements(name, most):
            console.print(f"{took:8.1f} ms  {statement}", soft_wrap=True, highlight=False, markup=False)


def _environment(folder: Path, items: int) -> dict[str, str]:
    """Return the settings of one side: its folder, and its own database on the server where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {**os.environ, "SLUICE_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "gateway.settings", "LOG_LEVEL": "ERROR"}
    found |= {"ALLOWED_HOSTS": "testserver,localhost", "SQLITE_SYNCHRONOUS": os.environ.get("SQLITE_SYNCHRONOUS", "NORMAL")}
    if "DATABASE_URL" in os.environ:
        found["DATABASE_URL"] = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/sluice_growth_{items}"))
    return found


def _make_database(url: str) -> None:
    """Make an empty database at this address of a PostgreSQL server; a SQLite file makes itself."""
    if not url:
        return
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    with psycopg.connect(urlunsplit(parts._replace(path=urlsplit(os.environ["DATABASE_URL"]).path)), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _child(words: list[str]) -> None:
    """Be the process on one database: build it, or serve the calls."""
    import scratch

    scratch.load(pages=True)
    import growth_calls
    import history

    history.build(int(words[1]), int(words[2])) if words[0] == "build" else growth_calls.serve(sums=words[1] == "sums")


if __name__ == "__main__":
    _child(sys.argv[2:]) if sys.argv[1:2] == ["--child"] else main()
