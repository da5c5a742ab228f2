"""Talking to servers on this machine with little cost to them, and counting what they cost."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import time
from pathlib import Path
from typing import Any

# Servers close what is idle; after so many seconds a new connection is made rather than find out.
IDLE = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


class Ended(Exception):
    """The server refused, or closed the connection."""


class Caller:
    """One connection that stays open, with the headers of who calls."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers, self._used = headers, 0.0

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send JSON and return the JSON that comes back."""
        data = None if body is None else json.dumps(body).encode()
        answer = self.send(method, path, data, {"Content-Type": "application/json", **headers})
        return json.loads(answer) if answer else None

    def upload(self, path: str, photo: bytes) -> None:
        """Send one file as a form does."""
        edge = secrets.token_hex(8)
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{edge}.jpg"\r\n'
        body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo + f"\r\n--{edge}--\r\n".encode()
        self.send("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        """Send and return the body of the answer. Raises Ended where it is an error."""
        if time.monotonic() - self._used > IDLE:
            self._connection.close()
        try:
            self._connection.request(method, path, body, self.headers | headers)
            response = self._connection.getresponse()
            answer = response.read()
        except http.client.HTTPException as error:
            self._connection.close()
            raise Ended(str(error)) from error
        if response.status >= 400:
            raise Ended(f"{method} {path}: {response.status} {answer[:400]!r}")
        self.cookies(response)
        self._used = time.monotonic()
        return answer

    def cookies(self, response: http.client.HTTPResponse) -> None:
        """Keep the cookies of an answer, as a browser does."""
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            kept = dict(part.split("=", 1) for part in self.headers.get("Cookie", "").split("; ") if part)
            self.headers["Cookie"] = "; ".join(f"{key}={one}" for key, one in (kept | {name: value}).items())
            if name == "csrftoken":
                self.headers["X-CSRFToken"] = value


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(root: int) -> float:
    """Return the processor seconds of a process and all below it, those that have ended included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            parents[int(folder.name)], ticks[int(folder.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    return sum(count for pid, count in ticks.items() if _is_below(pid, root, parents)) / TICKS


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid > 1 and pid != root:
        pid = parents.get(pid, 0)
    return pid == root
