"""What a process remembers of the audits that it has read: the watch looks every few seconds, and little is new each time.

Labels are never changed: a correction is a new one with the next place in the feed. So what was read up to a place stays as it
was, but for items whose label a later one superseded, and these later ones are read. The memory is only that: a process
without it reads everything once and comes to the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from monitoring.selectors.audited_decisions import Anchor, Audit, audits_since, last_sequence, replaced_between
from policies.models import Line

# Lines whose audits are remembered; a hundred thousand audits take some 20 MB.
LINES_KEPT = 64

# A line, by what no other line ever has, and what its audits are counted from.
Key = tuple[int, str, Anchor]


@dataclass(frozen=True, slots=True)
class Known:
    """The audits since an anchor, with labels up to the place `last` in the feed."""

    last: int
    audits: tuple[Audit, ...]


T = TypeVar("T")


class Memory(Generic[T]):
    """The newest entries by key. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[Key, T] = OrderedDict()

    def get(self, key: Key) -> T | None:
        """Return the entry, which is then the newest."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, entry: T) -> None:
        """Keep the entry, and let go of the oldest where there are too many."""
        with self._lock:
            self._kept[key] = entry
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


_known: Memory[Known] = Memory(LINES_KEPT)


def key_of(line: Line, anchor: Anchor) -> Key:
    """Return what the line's audits since the anchor are remembered by."""
    return line.pk, line.secret, anchor


def known_audits(line: Line, anchor: Anchor) -> tuple[Audit, ...]:
    """Return what `audits_since` returns, the very same tuple where nothing is new.

    With one query where nothing is new, three where something is; these read the new labels alone.
    """
    key = key_of(line, anchor)
    before, last = _known.get(key) or Known(0, ()), last_sequence(line)
    if last == before.last:
        return before.audits
    kept = before.audits
    if kept:
        # The label of an item has another in its place: where it counts now, it counts there.
        replaced = replaced_between(line, before.last, last)
        kept = tuple(audit for audit in kept if audit.item not in replaced) if replaced else kept
    found = Known(last, (*kept, *audits_since(line, anchor, places=range(before.last + 1, last + 1))))
    _known.put(key, found)
    return found.audits
