"""Races on a real database: `file_database` (in conftest) puts a test on one, `race` lets callables start at the same moment.

The suite's own database lives in memory with a shared cache, where a second writer is refused at once instead of waiting for
the first; nothing learned there about locks holds for the product. A test of a race therefore gets a copy of the migrated
database as a file, opened with the product's own settings (WAL, immediate transactions, a busy timeout), one connection a
thread:

    @pytest.mark.usefixtures("file_database")   # before the cast: `line`, `ines` and the others then live in the file
    def test_one_of_two_wins(line: Line) -> None:
        first, second = race(lambda: change(line, 1), lambda: change(line, 2))

On PostgreSQL the suite's own database is a real one, and the threads of a race connect to it as they are.

`race` returns what each callable returned or raised, in their order. Nothing sleeps: a barrier lines the threads up.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections

# Longer than any race takes; reached only where threads block each other for good.
STUCK_SECONDS = 300.0


@contextmanager
def on_a_file(path: Path) -> Iterator[None]:
    """Let the default connection, of this thread and of those started meanwhile, be a copy of the present one in `path`.

    A server's database can be had by several connections as it is: there nothing is swapped, and what was written stays.
    """
    if connections["default"].vendor != "sqlite":
        yield
        return
    memory, kept = connections["default"], connections.settings["default"]
    _copy(memory, path)
    connections.settings["default"] = {**kept, "NAME": str(path)}
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"], connections.settings["default"] = memory, kept


def present_address() -> str:
    """Return the DATABASE_URL under which another process finds the default connection's database; empty for SQLite."""
    name = connections["default"].settings_dict["NAME"]
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl() if settings.DATABASE_URL else ""


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Run every callable in a thread of its own, all at once; return results and exceptions in the order of the calls."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        barrier.wait(STUCK_SECONDS)
        try:
            results[index] = call()
        except Exception as error:  # noqa: BLE001 (handed to the test, whatever it is)
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, call), daemon=True) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(STUCK_SECONDS)
        if thread.is_alive():
            raise TimeoutError("the threads of a race block each other")
    return results


def _copy(source: Any, path: Path) -> None:
    source.ensure_connection()
    with closing(sqlite3.connect(path)) as target:
        source.connection.backup(target)
        target.execute("PRAGMA journal_mode=WAL")
