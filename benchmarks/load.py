"""A lean HTTP client that keeps so many connections busy, in a process of its own so that its CPU counts for nobody.

    python benchmarks/load.py '{"host": …, "port": …, "path": …, "headers": {…}, "photos": FOLDER, "concurrency": 16, …}'

Each request is a different photo: one of the folder with a number after its end, which decoders skip. Prints one JSON object.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
# So much room that a photo leaves in one call.
ROOM = 1 << 20

Body = Callable[[int], bytes]


class Connection:
    """One request at a time over one socket."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.socket = socket.create_connection((job["host"], job["port"]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
        self.socket.settimeout(60)
        self.answer, self.begun = bytearray(), 0.0

    def send(self, data: bytes) -> None:
        self.answer.clear()
        self.begun = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body once they are all there."""
        got = self.socket.recv(ROOM)
        if not got:
            raise ConnectionError("the server hung up")
        self.answer += got
        end = self.answer.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = LENGTH.search(self.answer, 0, end + 2)
        length = int(found[1]) if found else 0
        if len(self.answer) < end + 4 + length:
            return None
        return int(self.answer[9:12]), bytes(self.answer[end + 4 : end + 4 + length])


def requests_of(job: dict[str, Any]) -> Body:
    """Return what makes the bytes of request number n."""
    photos = [path.read_bytes() for path in sorted(Path(job["photos"]).glob("*.jpg"))]
    make = BODIES[job.get("body", "raw")]
    headers = "".join(f"{name}: {value}\r\n" for name, value in job["headers"].items())
    start = f"POST {job['path']} HTTP/1.1\r\nHost: {job['host']}:{job['port']}\r\n{headers}"

    def request(number: int) -> bytes:
        kind, body = make(photos, number, job)
        return f"{start}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    return request


def different(photos: list[bytes], number: int) -> bytes:
    """Return a photo that nobody has sent before."""
    return photos[number % len(photos)] + b"%020d" % (number + time.time_ns())


def _raw(photos: list[bytes], number: int, job: dict[str, Any]) -> tuple[str, bytes]:
    return "image/jpeg", different(photos, number)


def _batch(photos: list[bytes], number: int, job: dict[str, Any]) -> tuple[str, bytes]:
    size = job["batch"]
    parts = []
    for index in range(size):
        head = f'Content-Disposition: form-data; name="image"; filename="{index}.jpg"\r\nContent-Type: image/jpeg'
        parts.append(b"--x\r\n" + head.encode() + b"\r\n\r\n" + different(photos, number * size + index) + b"\r\n")
    return "multipart/form-data; boundary=x", b"".join(parts) + b"--x--\r\n"


def _file(photos: list[bytes], number: int, job: dict[str, Any]) -> tuple[str, bytes]:
    head = f'--x\r\nContent-Disposition: form-data; name="{job["field"]}"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return "multipart/form-data; boundary=x", head.encode() + different(photos, number) + b"\r\n--x--\r\n"


def _infer(photos: list[bytes], number: int, job: dict[str, Any]) -> tuple[str, bytes]:
    import base64

    text = base64.b64encode(different(photos, number)).decode()
    tensor = {"name": "photo", "shape": [1], "datatype": "BYTES", "parameters": {"content_type": "base64"}, "data": [text]}
    return "application/json", json.dumps({"inputs": [tensor]}).encode()


BODIES: dict[str, Callable[..., tuple[str, bytes]]] = {"raw": _raw, "batch": _batch, "file": _file, "infer": _infer}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Keep the connections busy until the time is over; what is on its way then is waited for and counted."""
    request, selector = requests_of(job), selectors.DefaultSelector()
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    kept: list[str] = []
    number = 0
    begun = time.perf_counter()
    until, busy = begun + job["seconds"], 0
    for _ in range(job["concurrency"]):
        connection = Connection(job)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request(number))
        number, busy = number + 1, busy + 1
    while busy:
        for key, _ in selector.select(60):
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.begun)
            statuses[answer[0]] = statuses.get(answer[0], 0) + 1
            if job.get("keep"):
                kept.append(answer[1].decode())
            if now < until:
                connection.send(request(number))
                number += 1
            else:
                busy -= 1
    seconds = time.perf_counter() - begun
    latencies.sort()
    at = {share: 1000 * latencies[int(share / 100 * (len(latencies) - 1))] for share in (50, 99)}
    return {
        "requests": len(latencies), "seconds": seconds, "statuses": statuses, "p50_ms": at[50], "p99_ms": at[99], "kept": kept,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
