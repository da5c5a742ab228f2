"""From DATABASE_URL to what Django wants to know. Unset, the database is a SQLite file and nothing has to be installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
# What stands in for a database where the address cannot be understood: the settings load, and `manage.py check` says why.
NO_DATABASE = "django.db.backends.dummy"

# `psycopg.IsolationLevel.READ_COMMITTED`. What locks here and looks then relies on seeing what was committed before the lock
# was had, and a server's own default may be another level.
READ_COMMITTED = 2
# Nothing here holds a lock over the network or the disk; what waits so long waits for something broken.
LIMITS = "-c lock_timeout=20s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
POSTGRESQL_OPTIONS: dict[str, Any] = {
    "isolation_level": READ_COMMITTED,
    "connect_timeout": 5,
    # What comes for the third time over a connection is planned for good (`gateway/statements.py`).
    "prepare_threshold": 2,
    # A server that vanished without a word is noticed within half a minute, also in the middle of a question.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "options": LIMITS,
    # PGAPPNAME, which `manage.py serve` sets for each process, goes before.
    "fallback_application_name": "sluice",
}


def database(url: str, folder: Path, *, synchronous: str) -> dict[str, Any]:
    """Return Django's settings for the database at `url`, in `folder` where it is empty.

    What stands in the query of a PostgreSQL address goes before our own options.
    """
    if not url:
        return _sqlite(folder / "sluice.sqlite3", synchronous)
    try:
        found = dj_database_url.parse(url)
    except ValueError:
        return {"ENGINE": NO_DATABASE}
    if found["ENGINE"] == SQLITE and found["NAME"] != ":memory:":
        return _sqlite(Path(found["NAME"]), synchronous)
    if found["ENGINE"] != POSTGRESQL or not found["NAME"]:
        return {"ENGINE": NO_DATABASE}
    # A thread keeps its connection: a new one for every request would cost more than the request. After a restart of the
    # server the first question finds out, and a new connection is made before the request's own.
    kept = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    return {**found, **kept, "OPTIONS": POSTGRESQL_OPTIONS | found.get("OPTIONS", {})}


def _sqlite(path: Path, synchronous: str) -> dict[str, Any]:
    return {
        "ENGINE": SQLITE,
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A writer takes its lock at BEGIN and waits for it; a deferred transaction would fail at its first write instead.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # An item touches about 25 pages, the same ones as the item before it: the log is folded into the database every
            # 16 MB instead of every 4, which copies most of them once. The cache of a connection holds the indexes' edges.
            "init_command": (
                f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA wal_autocheckpoint=4000; "
                "PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;"
            ),
        },
    }
