"""The application on a real port, before a database in a file: the pages ask for several things at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import Client
from django.test.testcases import QuietWSGIRequestHandler
from playwright.sync_api import BrowserContext
from whitenoise import WhiteNoise

# How long a browser waits for what is to come, in milliseconds: a busy machine may take its time.
PATIENCE_MS = 60_000
# How often the server looks whether it is to end, in seconds.
POLL = 0.02


@cache
def application() -> WhiteNoise:
    """The application; its static files come from where they lie, so that nothing has to be collected first."""
    found = WhiteNoise(WSGIHandler(), max_age=3600)
    for finder in get_finders():
        for storage in finder.storages.values():
            found.add_files(storage.location, prefix=settings.STATIC_URL)
    return found


class Server(ThreadedWSGIServer):
    """Serves in threads and ends only when the last of them has: none may still write when the database is swapped back."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), QuietWSGIRequestHandler)
        self._open: set[Any] = set()
        self.set_app(application())

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection before its thread starts."""
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        """Close the connection, and with it the thread's connection to the database."""
        self._open.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """End the connections that are kept open for further requests, once what they are at is done."""
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RD)


@contextmanager
def serving() -> Iterator[str]:
    """Serve the application, and yield its address."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL}, name="site", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.hang_up()
        server.server_close()
        thread.join()


def log_in(context: BrowserContext, site: str, user: User) -> None:
    """Log a person in without the form."""
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
