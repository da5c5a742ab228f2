"""Stopping without losing what was taken: say so first, let everybody finish, and only then, or after too long, kill."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from honcho.manager import Manager


def is_stopping() -> bool:
    """Whether `manage.py serve` has been told to stop: no new work should come here."""
    return bool(settings.STOPPING_FILE) and os.path.exists(settings.STOPPING_FILE)


class GentleManager(Manager):  # type: ignore[misc]
    """Runs the processes of `serve`.

    On a signal, or when one of them ends, `marker` appears, by which /readyz says no; after `drain` seconds all are asked to
    stop, and what still runs `patience` seconds later is killed. Honcho itself would kill five seconds after the first end.
    """

    def __init__(self, *, marker: Path, drain: float, patience: float, printer: object = None) -> None:
        super().__init__(printer)
        self._terminating = False
        self._marker, self._drain, self._patience = marker, drain, patience
        self._deadline = float("inf")

    def terminate(self) -> None:
        """Begin to stop; called in the signal's handler, so nothing here waits."""
        if self._terminating:
            return
        self._terminating = True
        self._marker.touch()
        self._deadline = time.monotonic() + self._drain + self._patience
        _later(self._drain, self._killall)
        _later(self._drain + self._patience, self.kill)

    def loop(self) -> None:
        """Run until everything has ended; however this one ends, nothing is left running."""
        try:
            super().loop()
        finally:
            for process in self._processes.values():
                if "pid" in process and "returncode" not in process:
                    self._procmgr.kill(process["pid"])

    def _system_print(self, data: str) -> None:
        try:
            super()._system_print(data)
        except OSError:
            return  # nobody reads it any more, which must not keep anything from being stopped

    def kill(self) -> None:
        """Kill what still runs, once the time to finish is over."""
        if time.monotonic() >= self._deadline:
            super().kill()


def _later(seconds: float, call: Callable[..., Any]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
