"""The main road for an archive: what was unloaded goes down it in chunks, and each item's line comes out once it is durable."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from gateway import door, idempotency, routing
from gateway.arrivals import Arrival
from gateway.authentication import refuse_ended
from gateway.errors import ArchiveStalled, ArchiveUnfinished, ExternalIdTaken, GatewayError
from gateway.idempotency import Answer
from gateway.models import ApiToken
from gateway.pipes import Pipe
from gateway.problems import body_of, status_of
from gateway.recording import Outcome
from gateway.representations import outcome_json
from gateway.taken import sort_out_taken
from gateway.unloading import Unloaded, Unloading
from inference.errors import ModelBusy
from policies.models import Line

# Items a pass; and how long, in seconds, the first of them waits for the others.
CHUNK = 48
LINGER = 0.1
# Lines that wait to be taken, in bytes. Callers that listen only after they have sent everything need the room.
OUTBOX_BYTES = 16 * 1024 * 1024
# Tries to record a chunk where other requests take its external ids or its key meanwhile.
TRIES = 5
# Seconds between two tries where the model is busy.
BUSY_PAUSE = 0.25

Result = Answer | Exception
# The key of one item and the digest of what it is.
Key = tuple[str, str]


@dataclass(slots=True)
class Bulk:
    """One archive on its way. `run` belongs to one thread; the others look and may `stop` it."""

    line: Line
    token: ApiToken
    key: str
    unloading: Unloading
    outbox: Pipe[bytes] = field(default_factory=lambda: Pipe(OUTBOX_BYTES))
    taken: int = 0
    replayed: int = 0
    refused: int = 0
    # Why it ended before everything was decided.
    problem: Exception | None = field(default_factory=ArchiveUnfinished)
    stopped: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic

    def run(self) -> None:
        """Decide everything that was unloaded. What is decided when something goes wrong stays decided, and told."""
        pipe = self.unloading.pipe
        try:
            while chunk := pipe.take(CHUNK, linger=LINGER):
                lines = self._lines(chunk)
                if not self.outbox.put(lines, len(lines), wait=settings.ARCHIVE_PATIENCE_SECONDS):
                    self.problem = ArchiveStalled("The lines of the answer were not taken; read them while you send.")
                    return
            self.problem = self.unloading.problem
        except (GatewayError, AuthenticationFailed, ModelBusy) as error:
            self.problem = error
        finally:
            pipe.close()
            self.outbox.finish()

    def stop(self) -> None:
        """Take nothing more on the road. What is on it arrives."""
        self.stopped.set()
        self.unloading.pipe.close()
        self.outbox.close()

    def _lines(self, chunk: Sequence[Unloaded]) -> bytes:
        self._refuse_ended()
        return b"".join(_line(one, result) for one, result in zip(chunk, self._results(chunk), strict=True))

    def _refuse_ended(self) -> None:
        """An archive may be long: a line that was retired and a token that was revoked meanwhile take no more of it."""
        self.line = door.open_for_items(self.line.slug, self.token)
        self.token.refresh_from_db(fields=["revoked_at", "expires_at"])
        refuse_ended(self.token, timezone.now())

    def _results(self, chunk: Sequence[Unloaded]) -> list[Result]:
        """Return an answer or a refusal for each. Others may take its key or external ids meanwhile: then it looks again."""
        keys = {place: key for place, one in enumerate(chunk) if (key := self._key(one)) is not None}
        for _ in range(TRIES - 1):
            try:
                return self._try(chunk, keys)
            except (ExternalIdTaken, IntegrityError):
                continue
        return self._try(chunk, keys)

    def _try(self, chunk: Sequence[Unloaded], keys: dict[int, Key]) -> list[Result]:
        said = idempotency.recall(self.token, dict(keys.values())) if keys else {}
        results: dict[int, Result] = {place: said[key] for place, (key, _) in keys.items() if key in said}
        fresh = [place for place in range(len(chunk)) if place not in results]
        arrivals = {}
        for place, one in zip(fresh, sort_out_taken(self.line, [chunk[place].read for place in fresh]), strict=True):
            if isinstance(one, Arrival):
                arrivals[place] = one
            else:
                results[place] = one
        made = self._route(arrivals, keys) if arrivals else {}
        self._count(results.values(), len(made))
        return [made[place] if place in made else results[place] for place in range(len(chunk))]

    def _key(self, one: Unloaded) -> Key | None:
        """Return the key of an item and the digest of what it is; none where it has none."""
        if not self.key or one.index is None or not isinstance(one.read, Arrival):
            return None
        digest = idempotency.digest_of([f"ARCHIVE {self.line.slug}", one.read.fingerprint])
        return idempotency.part_key(self.key, one.index), digest

    def _route(self, arrivals: dict[int, Arrival], keys: dict[int, Key]) -> dict[int, Answer]:
        now, made = timezone.now(), dict[int, Answer]()

        def within(outcomes: list[Outcome]) -> None:
            for place, outcome in zip(arrivals, outcomes, strict=True):
                made[place] = Answer(201, outcome_json(outcome, self.token))
            if keys:
                idempotency.remember_all(self.token, [(*keys[place], answer) for place, answer in made.items()], now=now)

        batch = list(arrivals.values())
        self._patiently(lambda: routing.route(self.line, batch, source=self.token.name, now=now, within=within))
        return made

    def _patiently(self, work: Callable[[], Any]) -> None:
        """An archive has time: where the model is busy it waits, and what is behind it is not read meanwhile."""
        deadline = self.clock() + settings.ARCHIVE_PATIENCE_SECONDS
        while True:
            try:
                work()
                return
            except ModelBusy:
                if self.clock() >= deadline or self.stopped.wait(BUSY_PAUSE):
                    raise

    def _count(self, others: Collection[Result], made: int) -> None:
        replayed = sum(isinstance(one, Answer) for one in others)
        self.taken += made
        self.replayed += replayed
        self.refused += len(others) - replayed


def _line(one: Unloaded, result: Result) -> bytes:
    if isinstance(result, Answer):
        return dump({"index": one.index, "file": one.file, "status": result.status, "item": result.body})
    return dump({"index": one.index, "file": one.file, "status": status_of(result), "problem": body_of(result)})


def dump(line: dict[str, Any]) -> bytes:
    """Return one line of the answer."""
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
