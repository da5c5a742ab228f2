"""Copying the database and putting a copy into place, by the means that each engine has for it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

# A dump of a large database takes its time; one that hangs must end some day.
MOST_SECONDS = 6 * 3600


class BackupFailed(Exception):
    """What went wrong, in a sentence for the operator."""


def copy_to(folder: Path) -> str:
    """Copy the live database into the folder and return the file's name. Nobody has to stop for it."""
    if connection.vendor == "sqlite":
        _copy_sqlite(str(connection.settings_dict["NAME"]), folder / "database.sqlite3")
        return "database.sqlite3"
    _run(["pg_dump", "--format=custom", "--no-owner", f"--file={folder / 'database.dump'}", *_address()])
    return "database.dump"


def is_empty() -> bool:
    """Whether there is no database of ours in the place where it would be restored to."""
    if connection.vendor == "sqlite":
        # Asked of the file: to connect would make one.
        path = Path(connection.settings_dict["NAME"])
        return not path.exists() or path.stat().st_size == 0
    with connection.cursor() as cursor:
        return "gateway_item" not in connection.introspection.table_names(cursor)


def put_into_place(copy: Path) -> None:
    """Restore the copy. The caller has seen that the place is empty."""
    if connection.vendor != "sqlite":
        _run(["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", *_address(), str(copy)])
        return
    path = Path(connection.settings_dict["NAME"])
    draft = path.with_name(f".{path.name}.restoring")
    _copy_sqlite(str(copy), draft)
    for leftover in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        leftover.unlink(missing_ok=True)
    draft.rename(path)


def _copy_sqlite(source: str, target: Path) -> None:
    """SQLite's online backup in one step: a read transaction that sees one moment, beside which writers go on."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupFailed(f"The copy of the database {source} is damaged.")
        # One file, whatever the original has beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _address() -> list[str]:
    """Return how the tools of PostgreSQL find the database: all that DATABASE_URL says of the way, but no time limits."""
    facts = connection.settings_dict
    named = {"host": facts.get("HOST"), "port": facts.get("PORT"), "user": facts.get("USER"), "dbname": facts["NAME"]}
    known = {default.keyword.decode() for default in Conninfo.get_defaults()} - {"options", "password"}
    given = {name: value for name, value in facts["OPTIONS"].items() if name in known}
    return [f"--dbname={make_conninfo(**given | {name: value for name, value in named.items() if value})}"]


def _run(command: list[str], run: Callable[..., Any] | None = None) -> None:
    """Run one of PostgreSQL's own programs; the password goes by environment, where no list of processes shows it."""
    password = connection.settings_dict.get("PASSWORD")
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    try:
        (run or subprocess.run)(command, env=environment, check=True, capture_output=True, text=True, timeout=MOST_SECONDS)
    except FileNotFoundError:
        raise BackupFailed(f"{command[0]} is not installed here; it comes with PostgreSQL's client programs.") from None
    except subprocess.CalledProcessError as error:
        raise BackupFailed(f"{command[0]} failed: {error.stderr.strip()[:500]}") from error
    except subprocess.TimeoutExpired:
        raise BackupFailed(f"{command[0]} did not end within {MOST_SECONDS // 3600} hours.") from None
