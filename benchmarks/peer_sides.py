"""Other servers beside the product: each in an environment of its own, made on first use under the cache folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import HERE, Side, free_port, running

CACHE = Path(os.environ.get("SLUICE_BENCHMARK_CACHE", Path(tempfile.gettempdir()) / "sluice-benchmark-peers"))
COMMON = ["numpy", "onnxruntime", "simplejpeg", "opencv-python-headless"]
PACKAGES = {
    "fastapi": ["fastapi", "uvicorn", "uvloop", "httptools"],
    "litserve": ["litserve"],
    "bentoml": ["bentoml"],
    "mlserver": ["mlserver"],
}
PEERS = HERE / "peers"


def python_of(name: str) -> Path:
    """Return the interpreter of the peer's environment."""
    folder = CACHE / name
    ready, python = folder / "ready", folder / "bin" / "python"
    if not ready.exists():
        print(f"making the environment of {name} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *COMMON, *PACKAGES[name]], check=True)
        ready.touch()
    return python


@contextmanager
def peer(name: str, graph: Path) -> Iterator[Side]:
    """Run one of the peers with the same graph as the product."""
    python, port, folder = python_of(name), free_port(), Path(tempfile.mkdtemp())
    env = {"GRAPH": str(graph), "PORT": str(port), "PYTHONPATH": str(PEERS), "OMP_NUM_THREADS": "1"}
    env |= {"BENTOML_HOME": str(folder), "BENTOML_DO_NOT_TRACK": "true", "DJANGO_SETTINGS_MODULE": ""}
    env["PATH"] = f"{python.parent}:{os.environ['PATH']}"
    command, ready, path, body = _ways(name, python, port, folder)
    with running(command, f"http://127.0.0.1:{port}{ready}", env, folder / "log") as process:
        yield Side(name, port, path, process, body=body)


def _ways(name: str, python: Path, port: int, folder: Path) -> tuple[list[str], str, str, dict[str, str]]:
    """Return the command, the address that tells readiness, the one to post to, and the shape of the body."""
    if name == "fastapi":
        command = [str(python), "-m", "uvicorn", "fastapi_app:app", "--port", str(port), "--workers", "2"]
        return [*command, "--no-access-log", "--log-level", "error"], "/openapi.json", "/score", {"body": "raw"}
    if name == "litserve":
        return [str(python), str(PEERS / "litserve_app.py")], "/health", "/predict", {"body": "raw"}
    if name == "bentoml":
        command = [str(python), "-m", "bentoml", "serve", "bentoml_app:Photos", "--port", str(port)]
        return command, "/readyz", "/score", {"body": "file", "field": "image"}
    model = {"name": "photos", "implementation": "mlserver_app.Photos"}
    (folder / "model-settings.json").write_text(json.dumps(model))
    limits = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port(), "parallel_workers": 0, "debug": False}
    (folder / "settings.json").write_text(json.dumps(limits))
    command = [str(python), "-m", "mlserver.cli.main", "start", str(folder)]
    if (python.parent / "mlserver").exists():
        command = [str(python.parent / "mlserver"), "start", str(folder)]
    return command, "/v2/health/ready", "/v2/models/photos/infer", {"body": "infer"}
