"""Starting a server, loading it, and counting what it used: CPU-seconds and peak memory of all its processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent
MB = 1024 * 1024


@dataclass(frozen=True)
class Side:
    """A server that is up, and how to post a photo to it."""

    name: str
    port: int
    path: str
    process: psutil.Process
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=lambda: {"body": "raw"})
    # Processes that work for it without being its children, such as a database server.
    helpers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Window:
    """What was measured while the client kept its connections busy."""

    photos: int
    seconds: float
    cpu: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]
    bodies: tuple[str, ...]

    @property
    def a_cpu_second(self) -> float:
        """Photos a CPU-second of the server."""
        return self.photos / self.cpu

    @property
    def a_second(self) -> float:
        """Photos a second of the clock."""
        return self.photos / self.seconds


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], ready: str, env: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    """Keep a server alive from when its address answers until the block ends."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=out, stderr=out, start_new_session=True, cwd=log.parent
        )
    process = psutil.Process(started.pid)
    try:
        _await(ready, started, log)
        yield process
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def _await(url: str, started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if started.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 (our own address)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{started.args!r} did not answer:\n{log.read_text()[-3000:]}")


def processes_of(side: Side) -> list[psutil.Process]:
    """Return the server's processes and its helpers."""
    found = [side.process, *side.process.children(recursive=True)]
    return found + [one for one in psutil.process_iter(["name"]) if one.info["name"] in side.helpers]


def cpu_of(side: Side) -> float:
    """Return the CPU seconds that the server's processes used so far."""
    total = 0.0
    for process in processes_of(side):
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return total


def peak_mb(side: Side) -> float:
    """Return the sum of the most memory that each process of the server ever held."""
    total = 0
    for process in (side.process, *side.process.children(recursive=True)):
        status = Path(f"/proc/{process.pid}/status").read_text()
        total += next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return total / MB


def load(side: Side, photos: Path, *, concurrency: int, seconds: float, keep: bool = False) -> Window:
    """Keep `concurrency` connections busy for so long and return what it took."""
    job = {
        "host": "127.0.0.1", "port": side.port, "path": side.path, "headers": side.headers, "photos": str(photos),
        "concurrency": concurrency, "seconds": seconds, "keep": keep, **side.body,
    }  # fmt: skip
    before = cpu_of(side)
    done = subprocess.run([sys.executable, str(HERE / "load.py"), json.dumps(job)], capture_output=True, check=False, text=True)
    if done.returncode:
        raise SystemExit(f"{side.name}: {done.stderr[-2000:]}")
    cpu = cpu_of(side) - before
    found = json.loads(done.stdout)
    count = found["requests"] * side.body.get("batch", 1)
    return Window(
        count, found["seconds"], cpu, found["p50_ms"], found["p99_ms"], found["statuses"], tuple(found["kept"])
    )  # fmt: skip
