"""DATABASE_URL becomes what Django wants to know, with what our locks rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from psycopg import IsolationLevel

from gateway.databases import NO_DATABASE, POSTGRESQL, READ_COMMITTED, SQLITE, database

FOLDER = Path("/var/lib/sluice")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", FOLDER / "sluice.sqlite3"),
        ("sqlite:////srv/a%20b.sqlite3", Path("/srv/a b.sqlite3")),
        ("sqlite:///x.db", Path("x.db")),
    ],
)
def test_sqlite_takes_its_lock_at_begin_wherever_it_lies(url: str, path: Path) -> None:
    found = database(url, FOLDER, synchronous="NORMAL")
    assert (found["ENGINE"], found["NAME"], found["OPTIONS"]["transaction_mode"]) == (SQLITE, path, "IMMEDIATE")
    assert "synchronous=NORMAL" in found["OPTIONS"]["init_command"]


def test_postgresql_keeps_its_connections_and_gives_up_in_time() -> None:
    found = database("postgresql://us%40er:p%2Fw@db.example:6432/sluice?sslmode=require", FOLDER, synchronous="FULL")
    names = ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS")
    assert [found[name] for name in names] == [POSTGRESQL, "us@er", "p/w", "db.example", 6432, "sluice", None, True]
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["isolation_level"] == READ_COMMITTED == IsolationLevel.READ_COMMITTED
    assert "lock_timeout" in found["OPTIONS"]["options"] and found["OPTIONS"]["connect_timeout"] == 5


def test_what_the_address_says_goes_before_ours() -> None:
    found = database("postgres://h/n?connect_timeout=30&options=-c%20statement_timeout%3D0", FOLDER, synchronous="FULL")
    assert (found["OPTIONS"]["connect_timeout"], found["OPTIONS"]["options"]) == (30, "-c statement_timeout=0")


@pytest.mark.parametrize("url", ["mysql://h/n", "postgresql://h", "nonsense", "postgresql://h:port/n"])
def test_what_cannot_be_understood_is_left_to_the_checks(url: str) -> None:
    assert database(url, FOLDER, synchronous="FULL") == {"ENGINE": NO_DATABASE}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL itself")
@pytest.mark.django_db(transaction=True)
def test_the_server_knows_our_limits_and_our_name() -> None:
    asked = "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in asked)}")
        assert cursor.fetchone() == ("20s", "1min", "1min", "sluice")
