"""Who listens to the webhooks: it notes the event of every message it has, and sometimes says at first that it can't."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# With every so many messages it is in trouble at first, so that retries are part of the life of the town.
TROUBLE_EVERY = 25


class Receiver:
    """An HTTP server on a thread that keeps what it was told."""

    def __init__(self) -> None:
        # How often it was told of each event, by its number.
        self.received: Counter[int] = Counter()
        self._newest = 0
        self._seen: set[str] = set()
        self._lock = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # its sender was killed while it spoke
                self.send_response(outer.take(self.headers["webhook-id"], body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, message: str, body: bytes) -> int:
        """Note a message and return the status of the answer."""
        with self._lock:
            new = message not in self._seen
            self._seen.add(message)
            if new and len(self._seen) % TROUBLE_EVERY == 0:
                return 503
            event = int(json.loads(body)["data"]["event"])
            self.received[event] += 1
            self._newest = max(self._newest, event)
            self._lock.notify_all()
            return 204

    def await_later(self, event: int, timeout: float) -> bool:
        """Wait until it was told of something that happened after this event."""
        with self._lock:
            return self._lock.wait_for(lambda: self._newest > event, timeout)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
