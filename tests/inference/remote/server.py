"""A small server of the Open Inference Protocol v2 on loopback, which misbehaves when it is told to."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

DTYPES = {"UINT8": "u1", "FP16": "<f2", "FP32": "<f4"}
# What the server does instead of answering: it gets the handler.
Deed = Callable[["_Handler"], None]


@dataclass
class Served:
    """What the server has and what it was asked."""

    extensions: list[str] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(
        default_factory=lambda: [{"name": "x", "datatype": "FP32", "shape": [-1, 224, 224, 3]}]
    )
    outputs: list[dict[str, Any]] = field(default_factory=lambda: [{"name": "p", "datatype": "FP32", "shape": [-1, 3]}])
    version: str | None = "1"
    ready: bool = True
    # The next answers to questions of inference; when it is empty the server is well.
    deeds: deque[Deed] = field(default_factory=deque)
    always: Deed | None = None
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0

    def count(self, path: str) -> int:
        """Return how many requests went to a path that ends so."""
        return sum(asked[1].endswith(path) for asked in self.asked)


class Server(ThreadingHTTPServer):
    """It can be stopped, so that nobody listens, and started again at the same place."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, served: Served, port: int = 0) -> None:
        self.served = served
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        request = super().get_request()
        self.served.connections += 1
        self._open.add(request[0])
        return request

    def stop(self) -> None:
        """Go away in the middle of everything, like a process that is killed."""
        self.shutdown()
        self.thread.join(10)
        self.server_close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it had ended by itself
            connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is what many of these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        served = self._note(b"")
        if self.path == "/v2":
            self.send({"name": "toy", "version": "1", "extensions": served.extensions})
        elif self.path.endswith("/ready"):
            self.send({}, 200 if served.ready else 503)
        elif self.path.startswith("/v2/models/phones"):
            self.send({"name": "phones", "platform": "", "inputs": served.inputs, "outputs": served.outputs})
        else:
            self.send({"error": "there is no such model"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        served = self._note(body)
        deed = served.deeds.popleft() if served.deeds else served.always
        if deed is not None:
            deed(self)
        else:
            self.answer(body)

    def answer(self, body: bytes) -> None:
        """Say of each picture that it is a scratch, as surely as it is bright."""
        question, pictures = read(body, self.headers.get("Inference-Header-Content-Length"))
        bright = pictures.reshape(len(pictures), -1).mean(axis=1) / (255 if question["inputs"][0]["datatype"] == "UINT8" else 1)
        rows = np.stack([1 - bright, bright, 0 * bright], axis=1).astype("<f4")
        head: dict[str, Any] = {"model_name": "phones", "model_version": self.server.served.version}
        output: dict[str, Any] = {"name": "p", "datatype": "FP32", "shape": list(rows.shape)}
        if "Inference-Header-Content-Length" in self.headers:
            output["parameters"] = {"binary_data_size": rows.nbytes}
            said = json.dumps(head | {"outputs": [output]}).encode()
            self.send(said + rows.tobytes(), headers={"Inference-Header-Content-Length": str(len(said))})
        else:
            self.send(head | {"outputs": [output | {"data": rows.reshape(-1).tolist()}]})

    def send(self, body: dict[str, Any] | bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _note(self, body: bytes) -> Served:
        self.server.served.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        return self.server.served


def read(body: bytes, length: str | None) -> tuple[dict[str, Any], np.ndarray]:
    """Return a question's JSON and its input tensor, as a server would read them."""
    end = len(body) if length is None else int(length)
    question = json.loads(body[:end])
    given = question["inputs"][0]
    dtype = DTYPES[given["datatype"]]
    if length is None:
        return question, np.array(given["data"], dtype).reshape(given["shape"])
    assert given["parameters"]["binary_data_size"] == len(body) - end
    return question, np.frombuffer(body[end:], dtype).reshape(given["shape"])


def status(code: int, body: dict[str, Any] | bytes = b"", **headers: str) -> Deed:
    """Answer with a status."""
    return lambda handler: handler.send(body, code, {name.replace("_", "-"): value for name, value in headers.items()})


def says(**outputs: Any) -> Deed:
    """Answer with these outputs: `says(p=[[0.1, 0.9]])`."""
    tensors = [
        {"name": name, "datatype": "FP32", "shape": list(np.shape(data)), "data": data} for name, data in outputs.items()
    ]
    return status(200, {"model_name": "phones", "model_version": "1", "outputs": tensors})


def hangs_up(handler: _Handler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


class Hangs:
    """Answer nothing until the test lets go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, handler: _Handler) -> None:
        self.go.wait(20)
        handler.close_connection = True


class Drips:
    """Send a byte now and then, so that no single read takes long, until the caller has gone; for three seconds at most."""

    def __init__(self, *, header: bool) -> None:
        self._header = header
        self._never = threading.Event()

    def __call__(self, handler: _Handler) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Long: " if self._header else b"Content-Length: 9999999\r\n\r\n"))
            for _ in range(150):
                self._never.wait(0.02)
                handler.wfile.write(b"a")
        except OSError:
            pass  # the caller has gone, as it should
        handler.close_connection = True
