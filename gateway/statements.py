"""Running SQL that is known: past Django's cursor, whose work for a small query is as long as the database's.

SQLite is asked by its connection. PostgreSQL gets statement and values apart, where Django's cursor writes the values into the
text, and parses and plans a statement that comes often once a connection. Its driver looks for the places of a long statement
anew each time, unless they are numbered as the server has them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

R = TypeVar("R")
PLACE = FORMAT_QMARK_REGEX


class Statement:
    """SQL with places for values, as Django writes it; without `plan_once` a server plans it for the values it comes with."""

    def __init__(self, sql: str, *, plan_once: bool = True) -> None:
        self._sql = sql
        # To the driver None means: prepared where it comes often.
        self._prepare = None if plan_once else False
        # What Django's cursor for SQLite makes of it each time, and the driver for PostgreSQL.
        self._marked = PLACE.sub("?", sql).replace("%%", "%")
        number = itertools.count(1)
        self._numbered = PLACE.sub(lambda place: f"${next(number)}", sql).replace("%%", "%")

    def rows(self, params: Sequence[Any]) -> list[Any]:
        """Return what it finds."""
        return self._run(params, lambda cursor: list(cursor.fetchall()))

    def count(self, params: Sequence[Any]) -> int:
        """Return how many rows it changes."""
        return self._run(params, lambda cursor: int(cursor.rowcount))

    def _run(self, params: Sequence[Any], told: Callable[[Any], R]) -> R:
        database: Any = connections[DEFAULT_DB_ALIAS]
        if not _is_bare(database):
            with database.cursor() as cursor:
                cursor.execute(self._sql, params)
                return told(cursor)
        with database.wrap_database_errors:
            if database.vendor == "sqlite":
                return told(database.connection.execute(self._marked, params))
            with database.Database.RawCursor(database.connection) as cursor:
                return told(cursor.execute(self._numbered, params, prepare=self._prepare))


def _is_bare(database: Any) -> bool:
    """Return whether the driver may be asked past Django's cursor: it is there and sound, and nobody looks on."""
    if database.connection is None or database.execute_wrappers or database.queries_logged:
        return False
    if database.vendor == "postgresql":
        database.close_if_health_check_failed()
        if database.connection is None:
            return False
    database.validate_no_broken_transaction()
    return True
