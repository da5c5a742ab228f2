"""Transactions of many threads joined into one: the first that waits becomes the leader and writes for all who wait.

A commit costs about the same for one item as for sixteen, and SQLite lets one write at a time anyway: who would have polled
for its lock waits here instead, and is written along with the next commit. Nobody returns before the commit that holds their
entry. What goes wrong with one entry reaches its own caller and nobody else.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from gateway.errors import NotRecorded

E = TypeVar("E")
R = TypeVar("R")
# Entries of one transaction: beyond this, the first of them would wait for the last.
MOST = 64
# The database itself is in trouble: trying each entry alone would only make everybody wait longer.
TROUBLE = (OperationalError, InterfaceError)


class _Ticket(Generic[E, R]):
    """One waiting entry. It is woken when it is written, has failed, or has to lead."""

    __slots__ = ("entry", "error", "leads", "over", "result", "woken")

    def __init__(self, entry: E) -> None:
        self.entry = entry
        self.result: R | None = None
        self.error: BaseException | None = None
        self.over = self.leads = False
        # A bare lock that is taken twice: half the cost of an event.
        self.woken = threading.Lock()
        self.woken.acquire()

    def done(self, result: R) -> None:
        self.result, self.over = result, True

    def failed(self, error: BaseException) -> None:
        self.error, self.over = error, True

    def answer(self) -> R:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


class GroupCommit(Generic[E, R]):
    """`write(entries)` writes all entries inside a transaction and returns a result, or an exception, for each."""

    def __init__(self, write: Callable[[Sequence[E]], Sequence[R | Exception]]) -> None:
        self._write = write
        self._mutex = threading.Lock()
        self._waiting: deque[_Ticket[E, R]] = deque()
        self._led, self._coming = False, 0

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Announce an entry: a commit waits a moment for those that are on their way."""
        with self._mutex:
            self._coming += 1
        try:
            yield
        finally:
            with self._mutex:
                self._coming -= 1

    def record(self, entry: E) -> R:
        """Return what `write` returned for the entry once it is committed, or raise what went wrong with it."""
        ticket: _Ticket[E, R] = _Ticket(entry)
        if transaction.get_connection().in_atomic_block:
            # The caller's own transaction may still be undone: nobody else's entry may depend on it.
            self._commit([ticket])
            return ticket.answer()
        with self._mutex:
            self._waiting.append(ticket)
            lead, self._led = not self._led, True
        if not lead:
            self._await(ticket)
        if not ticket.over:
            self._lead()
        return ticket.answer()

    def _await(self, ticket: _Ticket[E, R]) -> None:
        woken = False
        try:
            woken = ticket.woken.acquire()
        finally:
            # Interrupted: who was just made leader must not leave the others behind.
            if not woken and ticket.leads:
                self._lead()

    def _lead(self) -> None:
        """Write for those who wait, the leader first among them, then pass the lead on."""
        if self._coming and settings.GROUP_COMMIT_MS:
            time.sleep(settings.GROUP_COMMIT_MS / 1000)
        with self._mutex:
            group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        try:
            self._commit(group)
        finally:
            # Also where this thread was interrupted: nobody may wait for a leader that is gone.
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
                if following is not None:
                    following.leads = True
            for ticket in group:
                if not ticket.over:
                    ticket.failed(NotRecorded("The writing of it was broken off. Send it again."))
                ticket.woken.release()
            if following is not None:
                following.woken.release()

    def _commit(self, group: list[_Ticket[E, R]]) -> None:
        with _Caught() as caught:
            self._together(group)
        error = caught.error
        if error is None:
            return
        if len(group) == 1:
            group[0].failed(error)
        elif isinstance(error, TROUBLE):
            for ticket in group:
                ticket.failed(_copy(error))
        else:
            # Everything was undone. One of them is to blame; it must not take the others with it.
            for ticket in group:
                self._commit([ticket])

    def _together(self, group: list[_Ticket[E, R]]) -> None:
        with transaction.atomic():
            results = self._write([ticket.entry for ticket in group])
            if len(group) == 1 and isinstance(results[0], Exception):
                raise results[0]
        for ticket, result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                ticket.failed(result)
            else:
                ticket.done(result)


class _Caught:
    """Keeps an exception for whom it belongs to. What is none, such as an interrupt, goes on its way."""

    error: Exception | None = None

    def __enter__(self) -> _Caught:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False


def _copy(error: Exception) -> Exception:
    """Return an error for one caller: an exception must not be raised in several threads at once."""
    own = type(error)(*error.args)
    own.__cause__ = error
    return own
