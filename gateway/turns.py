"""Transactions of people's work: who writes in this process waits in line for it.

SQLite has one writer at a time. Who finds it busy sleeps and looks again, longer each time, so that of eight people who judge
at once some wait for a second while the database is idle. In a line the next one begins in the moment in which one has ended.
What other processes write still goes by SQLite's own lock. PostgreSQL runs transactions side by side; there is no line.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_line = threading.Lock()


@contextmanager
def in_turn() -> Iterator[None]:
    """Run what is inside as one transaction, after those of others that came before."""
    # Who is in a transaction already has the database's lock and must wait for nobody.
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
    else:
        with _line, transaction.atomic():
            yield
