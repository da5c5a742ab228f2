"""Work of many threads joined: the first that comes does it for all who wait meanwhile.

Threads of one process take Python's lock from each other at every file, pass and statement, and each time they find the
processor's memory filled by somebody else. A few that work through what waits, one step for all of it at a time, do twice as
much in the same time; and what costs the same for one as for sixteen, such as a commit, is paid once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Generic, TypeVar

from gateway.errors import NotRecorded

E = TypeVar("E")
R = TypeVar("R")


class Ticket(Generic[E, R]):
    """One waiting entry. It is woken when it is done, has failed, or has to lead."""

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
        """Keep what came of it."""
        self.result, self.over = result, True

    def failed(self, error: BaseException) -> None:
        """Keep what went wrong with it."""
        self.error, self.over = error, True

    def answer(self) -> R:
        """Return the result, or raise what went wrong."""
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


class Company(Generic[E, R]):
    """`work(tickets)` ends every ticket it is given, at most `most`; at most `leaders` threads are at it at the same time."""

    def __init__(self, work: Callable[[list[Ticket[E, R]]], None], *, leaders: int, most: int) -> None:
        self._work = work
        self._leaders, self._most = leaders, most
        self._mutex = threading.Lock()
        self._waiting: deque[Ticket[E, R]] = deque()
        self._leading = 0

    def join(self, entry: E) -> R:
        """Return what came of the entry, or raise what went wrong with it."""
        return self.join_all([entry])[0].answer()

    def join_all(self, entries: Iterable[E]) -> Sequence[Ticket[E, R]]:
        """Return the tickets of the entries once all of them are over."""
        tickets: list[Ticket[E, R]] = [Ticket(entry) for entry in entries]
        with self._mutex:
            self._waiting.extend(tickets)
            lead = bool(tickets) and self._leading < self._leaders
            self._leading += lead
            if lead:
                self._appoint(tickets[0])
        try:
            for ticket in tickets:
                self._await(ticket)
        except BaseException:
            # One of the others may have been made leader: who waits behind it must not be left there.
            for ticket in tickets:
                if not ticket.over:
                    self._await(ticket)
            raise
        return tickets

    def _appoint(self, ticket: Ticket[E, R]) -> None:
        """Let a waiting ticket lead; called under the mutex."""
        self._waiting.remove(ticket)
        ticket.leads = True
        ticket.woken.release()

    def _await(self, ticket: Ticket[E, R]) -> None:
        try:
            ticket.woken.acquire()
        finally:
            # Also where this thread was interrupted: who was made leader must not leave the others behind.
            if ticket.leads and not ticket.over:
                self._lead(ticket)

    def _lead(self, ticket: Ticket[E, R]) -> None:
        """Work for those who wait, the leader first among them, then pass the lead on."""
        with self._mutex:
            others = min(self._most - 1, len(self._waiting))
            group = [ticket, *(self._waiting.popleft() for _ in range(others))]
        try:
            self._work(group)
        finally:
            # Also where this thread was interrupted: nobody may wait for a leader that is gone.
            with self._mutex:
                if self._waiting:
                    self._appoint(self._waiting[0])
                else:
                    self._leading -= 1
            for one in group:
                if not one.over:
                    one.failed(NotRecorded("The work on it was broken off. Send it again."))
                if one is not ticket:
                    one.woken.release()


def fail_all(tickets: Sequence[Ticket[E, R]], error: Exception) -> None:
    """Let all of them fail for one reason. An exception must not be raised in several threads at once: each gets its own."""
    for ticket in tickets:
        own = error if len(tickets) == 1 else copy(error)
        if own is not error:
            own.__cause__ = error
        ticket.failed(own)
