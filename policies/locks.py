"""What keeps others waiting until the caller's transaction ends, where the database lets several write at once.

SQLite takes its one write lock at BEGIN, so that here is nothing left to do; PostgreSQL runs transactions side by side.
"""

from __future__ import annotations

from django.db import connection

from policies.models import Line

# The first number of our advisory locks; the second is the line.
POLICY = 0x51_7C


def hold_line(line: Line) -> Line:
    """Return the line as it is now, locked against others who hold it. Rows that only refer to it can still be written."""
    return Line.objects.select_for_update(no_key=True).get(pk=line.pk)


def keep_policy(line: Line) -> None:
    """Keep the policy in force from being changed; any number may keep it at once. Look at it after this, not before."""
    _lock("pg_advisory_xact_lock_shared", line)


def change_alone(line: Line) -> None:
    """Wait until nobody keeps the line's policy, and let nobody keep or change it meanwhile.

    An advisory lock and not one of the row: who waits for it is served in turn. A stream of posts, each of which locks the row
    for sharing, could hold up the red switch for as long as it lasts.
    """
    _lock("pg_advisory_xact_lock", line)


def _lock(function: str, line: Line) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s)", [POLICY, line.pk])
