"""A model elsewhere: the Open Inference Protocol v2 over HTTP, the size of a thumbnail. `python model_server.py PORT`.

It says "ok" for light photos and "dent" for dark ones, surely for most and unsurely for some, so that a partial line has both.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

NAME, SIDE = "brightness", 16


class Handler(BaseHTTPRequestHandler):
    """Metadata, readiness and inference."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell about the model."""
        tensors = {
            "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 3, SIDE, SIDE]}],
            "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 2]}],
        }
        self._answer({"name": NAME, "versions": ["1"], "platform": "numpy", **tensors} if self.path.endswith(NAME) else {})

    def do_POST(self) -> None:
        """Score a batch."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        given = body["inputs"][0]
        images = np.asarray(given["data"], dtype=np.float64).reshape(given["shape"])
        light = images.reshape(len(images), -1).mean(axis=1)
        ok = 1 / (1 + np.exp(-40 * (light - 0.5)))
        scores = np.stack([ok, 1 - ok], axis=1)
        output = {"name": "scores", "datatype": "FP32", "shape": list(scores.shape), "data": scores.ravel().tolist()}
        self._answer({"model_name": NAME, "id": body.get("id", ""), "outputs": [output]})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
