"""Transactions of people and cameras on SQLite, which has one writer at a time: who writes waits in line for it.

Who finds SQLite busy sleeps and looks again, longer each time, so that of eight people who judge at once some wait for a second
while the database is idle. In a line the next one begins in the moment in which one has ended. Threads stand in the line of
their process, and the first of each process in that of a file beside the database, which a killed process leaves. What is
written elsewhere still goes by SQLite's own lock. PostgreSQL runs transactions side by side; there is no line.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

_line = threading.Lock()


class _Processes:
    """The line of the processes that write to one file; asked by whoever heads the line of its own process."""

    def __init__(self) -> None:
        # Who was forked would share a lock with its parent.
        self._process, self._path, self._file = 0, "", -1

    @contextmanager
    def turn(self, database: Any) -> Iterator[None]:
        """Hold the lock that one process has at a time; a database in memory has only one."""
        if database.is_in_memory_db():
            yield
            return
        file = self._opened(f"{database.settings_dict['NAME']}-turn")
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _opened(self, path: str) -> int:
        if (self._process, self._path) != (os.getpid(), path):
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            self._process, self._path = os.getpid(), path
        return self._file


_processes = _Processes()


@contextmanager
def in_turn() -> Iterator[None]:
    """Run what is inside as one transaction, after those of others that came before."""
    # Who is in a transaction already has the database's lock and must wait for nobody.
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
    else:
        with _line, _processes.turn(connection), transaction.atomic():
            yield
