"""Running SQL that is known: past Django's cursor on SQLite, whose work for a small query is as long as the database's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX


class Statement:
    """SQL with places for values, as Django writes it."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        # What Django's cursor for SQLite makes of it each time.
        self._bare = FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")

    def rows(self, params: Sequence[Any]) -> list[Any]:
        """Return what it finds."""
        database = connections[DEFAULT_DB_ALIAS]
        if not _is_bare(database):
            with database.cursor() as cursor:
                cursor.execute(self._sql, params)
                return list(cursor.fetchall())
        with database.wrap_database_errors:
            found: list[Any] = database.connection.execute(self._bare, params).fetchall()
            return found

    def count(self, params: Sequence[Any]) -> int:
        """Return how many rows it changes."""
        database = connections[DEFAULT_DB_ALIAS]
        if not _is_bare(database):
            with database.cursor() as cursor:
                cursor.execute(self._sql, params)
                return int(cursor.rowcount)
        with database.wrap_database_errors:
            return int(database.connection.execute(self._bare, params).rowcount)


def _is_bare(database: Any) -> bool:
    """Return whether the driver may be asked past Django's cursor: it is SQLite's, it is there, and nobody looks on."""
    if database.vendor != "sqlite" or database.connection is None or database.execute_wrappers or database.queries_logged:
        return False
    database.validate_no_broken_transaction()
    return True
