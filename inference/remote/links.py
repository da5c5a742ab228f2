"""What this process knows of each server elsewhere: the way to it, its breaker, its retry budget, and how it did.

Kept by the digest of the manifest for as long as the process lives, so that a model that made room and is loaded again is not
taken for healthy. Other processes see for themselves, as every proxy does: what one of them cannot reach another one may.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.utils import timezone

from inference import deadlines
from inference.remote.breaker import Breaker, Permit, State
from inference.remote.budget import Budget
from inference.remote.errors import CircuitOpen, RemoteFailed
from inference.remote.manifest import Manifest
from inference.remote.retrying import retrying
from inference.remote.wire import Wire

Answer = TypeVar("Answer")
# Seconds in which a server that comes back has to say that its model is ready, before people's items are sent to it as a probe.
READY_SECONDS = 1.0
# A call that had this share of the time limit and still got no answer has cost its callers everything.
GRAVE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Status:
    """How a server did, as this process saw it. A refusal is a call that an open breaker did not let through."""

    state: State = State.CLOSED
    calls: int = 0
    failures: int = 0
    retries: int = 0
    refusals: int = 0
    last_answer_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_failure: str = ""


class Link:
    """One server and model. It may be used by several threads."""

    def __init__(self, manifest: Manifest, breaker: Breaker | None = None, budget: Budget | None = None) -> None:
        self.wire = Wire(manifest.url, manifest.token_env)
        self._ready_path = f"{manifest.path}/ready"
        self._breaker = breaker or Breaker()
        self._budget = budget or Budget()
        self._lock = threading.Lock()
        self._status = Status()

    def call(self, ask: Callable[[], Answer], limit: float) -> Answer:
        """Return what `ask` returns, within `limit` seconds, which its retries share. Raises `ModelUnavailable`."""
        try:
            permit = self._breaker.enter()
        except CircuitOpen:
            self._note(refusals=1)
            raise
        had_time = deadlines.left() >= GRAVE_SHARE * limit
        answered = grave = False
        try:
            if permit.probe:
                self._check_ready()
            found = retrying(self._counted(ask), self._budget)
            answered = True
        except RemoteFailed as error:
            grave = had_time and error.timed_out
            self._note(calls=1, failures=1, failure=str(error))
            raise
        finally:
            # Whatever happened, also what nobody foresaw: a probe that is not reported would keep the breaker half open.
            self._report(permit, answered=answered, grave=grave)
        self._note(calls=1)
        return found

    def status(self) -> Status:
        """Return how it did until now."""
        with self._lock:
            return replace(self._status, state=self._breaker.state)

    def _report(self, permit: Permit, *, answered: bool, grave: bool) -> None:
        if answered:
            self._breaker.succeeded(permit)
        else:
            self._breaker.failed(permit, grave=grave)

    def _check_ready(self) -> None:
        with deadlines.within(READY_SECONDS):
            self.wire.get(self._ready_path)

    def _counted(self, ask: Callable[[], Answer]) -> Callable[[], Answer]:
        """Return `ask`, which counts every time but the first as a retry."""
        tried = False

        def again() -> Answer:
            nonlocal tried
            if tried:
                self._note(retries=1)
            tried = True
            return ask()

        return again

    def _note(self, *, calls: int = 0, failures: int = 0, retries: int = 0, refusals: int = 0, failure: str = "") -> None:
        now = timezone.now()
        with self._lock:
            old = self._status
            self._status = replace(
                old,
                calls=old.calls + calls,
                failures=old.failures + failures,
                retries=old.retries + retries,
                refusals=old.refusals + refusals,
                last_answer_at=now if calls and not failures else old.last_answer_at,
                last_failure_at=now if failures else old.last_failure_at,
                last_failure=failure or old.last_failure,
            )


class Links:
    """All of them, by the digest of the manifest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._links: dict[str, Link] = {}

    def of(self, digest: str, manifest: Manifest) -> Link:
        """Return the one link of a manifest."""
        with self._lock:
            if digest not in self._links:
                self._links[digest] = Link(manifest)
            return self._links[digest]

    def status(self, digest: str) -> Status:
        """Return how the server did; nothing but zeros where this process never asked it."""
        with self._lock:
            link = self._links.get(digest)
        return link.status() if link else Status()

    def close(self) -> None:
        """Forget all of them, and close their connections."""
        with self._lock:
            old = list(self._links.values())
            self._links.clear()
        for link in old:
            link.wire.close()


links = Links()
