"""Processes that are started, killed, frozen and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HOST = "127.0.0.1"
READY_SECONDS = 60.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> Callable[[], bool]:
    """Return whether somebody answers 200 at an address, as a question to be asked."""

    def ask() -> bool:
        try:
            with urlopen(url, timeout=2) as response:  # noqa: S310 (our own address)
                return bool(response.status == 200)
        except (OSError, URLError):
            return False

    return ask


class Process:
    """One process with its children, in a group of its own, so that a blow hits all of them."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        ready: Callable[[], bool] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name, self._command, self._environment = name, list(command), dict(environment)
        self._folder, self._ready, self._log = folder, ready, log
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of the first process of the group."""
        if self._running is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._running.pid

    def ended(self) -> str:
        """Return how it ended by itself, with the last it said; nothing while it runs."""
        status = self._running.poll() if self._running else None
        return "" if status is None else f"{self.name} ended by itself with {status}: {self._said()}"

    def start(self) -> None:
        """Start it and return when it is ready."""
        with open(self._log or os.devnull, "ab") as log:
            self._running = subprocess.Popen(
                self._command, env=self._environment, cwd=self._folder, start_new_session=True, stdout=log, stderr=log
            )
        until = time.monotonic() + READY_SECONDS
        while self._ready is not None and not self._ready():
            if ended := self.ended():
                raise RuntimeError(ended)
            if time.monotonic() > until:
                raise RuntimeError(f"{self.name} was not ready within {READY_SECONDS:.0f} seconds: {self._said()}")
            time.sleep(0.05)

    def _said(self) -> str:
        return self._log.read_text()[-2000:] if self._log else "it keeps no log"

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """Kill -9, all of it."""
        self.signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        """Ask it to end, and kill what does not."""
        if self._running is None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self._end(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, timeout: float | None = 10) -> None:
        if self._running is not None:
            self._running.wait(timeout)
            self._running = None
