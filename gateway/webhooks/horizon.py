"""Up to which event the table is complete: nothing with a smaller number can still appear.

Deliveries are derived from the append-only events, which every move writes in its own transaction, so a move pays nothing
for webhooks and none can be forgotten. What is hard is reading such a table by a cursor. A number is taken when a row is
inserted and seen when its transaction commits; where several write at once, 7 can be seen before 6, and a cursor that went
on to 7 would never send 6.

SQLite has one writer at a time and gives numbers in the order of commits: the largest one seen is the horizon.

PostgreSQL has many. An INSERT locks its table (ROW EXCLUSIVE) before it takes a number, and keeps the lock until its
transaction is over and its rows are seen. So: read the largest number seen, S, *then* the transactions that hold that lock
on the table. Whoever has taken a number below S and is not seen yet is among them. When all of these are over, everything
up to S is seen or was rolled back for good. This needs no column, no index, no lock of ours and nothing from writers; it
waits as long as the longest of the moves that are being written at that moment, milliseconds in general, and gives up for
this time where one takes longer.

The alternatives were weighed: a column with the transaction's id costs each event a column and an index, also where nobody
listens; writing deliveries in the transaction of the move costs the road a query and an insert; a table lock holds up the
road.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection
from django.db.models import Max

from gateway.models import Event

STEP_SECONDS = 0.02
WAIT_SECONDS = 2.0


def settled(wait: float = WAIT_SECONDS, pause: Callable[[float], object] = time.sleep) -> int | None:
    """Return the number up to which the events are complete; None where a writer took longer than `wait` seconds.

    Call it outside a transaction, and read events in a later statement.
    """
    seen: int = Event.objects.aggregate(last=Max("id"))["last"] or 0
    if connection.vendor != "postgresql":
        return seen
    writing, deadline = _writers(), time.monotonic() + wait
    while writing:
        if time.monotonic() > deadline:
            return None
        pause(STEP_SECONDS)
        writing &= _writers()
    return seen


def last_seen() -> int:
    """Return the largest number seen, where nobody may wait: later ones below it can still appear."""
    return Event.objects.aggregate(last=Max("id"))["last"] or 0


def _writers() -> set[str]:
    """Return the transactions, other than ours, that have written or are about to write events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = %s::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()",
            [Event._meta.db_table],
        )
        return {row[0] for row in cursor.fetchall()}
