"""The ways in which the town is hurt. Each is done to it in the middle of its life, and undone."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.conf import settings
from django.db import connection, transaction
from faulty.people import hang_up
from faulty.postgres import Postgres
from faulty.town import LINE, Town

# Seconds that a fault lasts where it is not over with the blow.
OUTAGE = 1.0
HUNG_UP = 10


@contextmanager
def web(town: Town, database: Postgres | None) -> Iterator[None]:
    """The web server is killed."""
    town.web.kill()
    yield
    town.web.start()


@contextmanager
def worker(town: Town, database: Postgres | None) -> Iterator[None]:
    """The worker is killed."""
    town.worker.kill()
    yield
    town.worker.start()


@contextmanager
def broker(town: Town, database: Postgres | None) -> Iterator[None]:
    """The broker is killed, and is away for a while."""
    town.broker.kill()
    yield
    time.sleep(OUTAGE)
    town.broker.start()


@contextmanager
def postgresql(town: Town, database: Postgres | None) -> Iterator[None]:
    """The database is killed with all its sessions, and is away for a while."""
    if database is None:
        raise RuntimeError("This needs PostgreSQL.")
    connection.close()
    database.kill()
    yield
    time.sleep(OUTAGE)
    database.start()


@contextmanager
def model(town: Town, database: Postgres | None) -> Iterator[None]:
    """The model server is killed, and is away for a while."""
    town.model.kill()
    yield
    time.sleep(OUTAGE)
    town.model.start()


@contextmanager
def hanging_model(town: Town, database: Postgres | None) -> Iterator[None]:
    """The model server takes requests and does not answer."""
    town.model.signal(signal.SIGSTOP)
    yield
    time.sleep(OUTAGE)
    town.model.signal(signal.SIGCONT)


@contextmanager
def full_disk(town: Town, database: Postgres | None) -> Iterator[None]:
    """No byte is left where the database and the photos lie."""
    ballast = town.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    yield
    time.sleep(OUTAGE)
    ballast.unlink()


@contextmanager
def locked_database(town: Town, database: Postgres | None) -> Iterator[None]:
    """Somebody else holds the lock that every writer needs."""
    if database is not None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE gateway_item, review_judgement IN ACCESS EXCLUSIVE MODE")
            yield
            time.sleep(OUTAGE)
        return
    with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None, timeout=20)) as held:
        held.execute("BEGIN IMMEDIATE")
        yield
        time.sleep(OUTAGE)
        held.execute("ROLLBACK")


@contextmanager
def hung_up(town: Town, database: Postgres | None) -> Iterator[None]:
    """Clients go away in the middle of their photo, or before they are answered."""
    start = int(time.time() * 1000)
    for number in range(HUNG_UP):
        hang_up(town.url, town.secret, LINE, start + number)
    yield


FAULTS = {
    "web": web,
    "worker": worker,
    "broker": broker,
    "postgresql": postgresql,
    "model": model,
    "hanging model": hanging_model,
    "full disk": full_disk,
    "locked database": locked_database,
    "client hangs up": hung_up,
}


def possible(name: str, database: Postgres | None, bounded: bool) -> str:
    """Return why a fault cannot be shown here, or nothing where it can."""
    if name == "postgresql" and database is None:
        return "the database is SQLite"
    if name == "full disk" and not bounded:
        return "no small file system could be mounted"
    return "" if os.name == "posix" else "needs signals"
