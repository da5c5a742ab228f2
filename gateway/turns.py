"""Transactions of people and cameras on SQLite, which has one writer at a time: who writes waits in line for it.

Who finds SQLite busy sleeps and looks again, longer each time, so that of eight people who judge at once some wait for a second
while the database is idle. In a line the next one begins in the moment in which one has ended. Threads stand in the line of
their process; the first of each process waits for the lock on a file beside the database, which a killed process leaves. What
is written elsewhere still goes by SQLite's own lock. PostgreSQL runs transactions side by side; there is no line.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import OperationalError, connection, transaction

# Seconds in each line, as for SQLite's own lock: who is behind somebody that is frozen is told, and does not hang.
PATIENCE = 20.0
# Seconds between two looks at the lock of processes, which cannot be waited for with an end. One thread a process looks.
PAUSE = 0.001
LOCKED = "database is locked"

_line = threading.Lock()


class _Processes:
    """The line of the processes that write to one file; asked by whoever heads the line of its own process."""

    def __init__(self) -> None:
        # Who was forked would share a lock with its parent.
        self._process, self._path, self._file = 0, "", -1

    @contextmanager
    def turn(self, database: Any) -> Iterator[None]:
        """Hold the lock that one process has at a time; a database in memory has only one. Raises OperationalError."""
        if database.is_in_memory_db():
            yield
            return
        try:
            file = self._opened(str(database.settings_dict["NAME"]))
            _lock(file)
        except OSError as error:
            raise OperationalError(f"The turn cannot be waited for: {error}.") from error
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _opened(self, database: str) -> int:
        if (self._process, self._path) != (os.getpid(), database):
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            # A lock takes no more than reading: whoever may use the database may have its turn.
            self._file = os.open(f"{database}-turn", os.O_RDONLY | os.O_CREAT, 0o600)
            with suppress(OSError):
                os.fchmod(self._file, stat.S_IMODE(os.stat(database).st_mode))
            self._process, self._path = os.getpid(), database
        return self._file


_processes = _Processes()


@contextmanager
def in_turn() -> Iterator[None]:
    """Run what is inside as one transaction, after those of others that came before. Raises OperationalError after PATIENCE."""
    # Who is in a transaction already has the database's lock and must wait for nobody.
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
    else:
        with _turn_of_thread(), _processes.turn(connection), transaction.atomic():
            yield


@contextmanager
def _turn_of_thread() -> Iterator[None]:
    if not _line.acquire(timeout=PATIENCE):
        raise OperationalError(LOCKED)
    try:
        yield
    finally:
        _line.release()


def _lock(file: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise OperationalError(LOCKED) from None
            time.sleep(PAUSE)
        else:
            return
