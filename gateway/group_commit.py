"""Transactions of many threads joined into one: the first that waits becomes the leader and writes for all who wait.

A commit costs about the same for one item as for sixteen, and SQLite lets one write at a time anyway: who would have polled
for its lock waits here instead, and is written along with the next commit. Nobody returns before the commit that holds their
entry. What goes wrong with one entry reaches its own caller and nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, transaction

from gateway.company import Company, Ticket, fail_all
from gateway.turns import in_turn

E = TypeVar("E")
R = TypeVar("R")
# Entries of one transaction: beyond this, the first of them would wait for the last.
MOST = 64
# The database itself is in trouble: trying each entry alone would only make everybody wait longer.
TROUBLE = (OperationalError, InterfaceError)


class GroupCommit(Generic[E, R]):
    """`write(entries)` writes all entries inside a transaction and returns a result, or an exception, for each."""

    def __init__(self, write: Callable[[Sequence[E]], Sequence[R | Exception]]) -> None:
        self._write = write
        # One at a time: a second writer would wait for the first one's lock, and its entries can be written by the next.
        self._company: Company[E, R] = Company(self._commit, leaders=1, most=MOST)

    def record(self, entry: E) -> R:
        """Return what `write` returned for the entry once it is committed, or raise what went wrong with it."""
        return self.record_all([entry])[0].answer()

    def record_all(self, entries: Sequence[E]) -> Sequence[Ticket[E, R]]:
        """Return the tickets of the entries once each is committed or has failed."""
        if not transaction.get_connection().in_atomic_block:
            return self._company.join_all(entries)
        # The caller's own transaction may still be undone: nobody else's entry may depend on it.
        tickets: list[Ticket[E, R]] = [Ticket(entry) for entry in entries]
        self._commit(tickets)
        return tickets

    def _commit(self, group: list[Ticket[E, R]]) -> None:
        with _Caught() as caught:
            self._together(group)
        error = caught.error
        if error is None:
            return
        if len(group) == 1:
            group[0].failed(error)
        elif isinstance(error, TROUBLE):
            fail_all(group, error)
        else:
            # Everything was undone. One of them is to blame; it must not take the others with it.
            for ticket in group:
                self._commit([ticket])

    def _together(self, group: list[Ticket[E, R]]) -> None:
        with in_turn():
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
