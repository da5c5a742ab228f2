"""How the bytes of a photo leave without ever being missed.

Several items may have the same bytes, and a camera may be storing them at this very moment: it saw the file in its place
and has not recorded its item yet. So nothing is deleted from its place. The file is first set aside, where it can still be
read (`media.open_file`); whoever stores the same bytes from then on writes them anew. Only after GRACE, longer than any
request lives between storing and recording, is the database asked once more: what an item needs by then goes back into
its place, the rest is gone for good. A crash anywhere in between leaves a file aside, for which the next run does the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Set
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from gateway import media

# A request stores its photo and then records it; between the two it may wait for locks, a minute at most.
GRACE = timedelta(minutes=15)
# Files asked about at once.
BATCH = 200
# A backup says that it is at work by touching its file; one that has died must not keep photos for ever.
HOLD_LASTS = timedelta(hours=1)

# Which of these digests something kept still needs.
Needed = Callable[[Iterable[str]], Set[str]]


def set_aside(digest: str, *, now: datetime) -> bool:
    """Take a file out of its place, still readable; False where there is none."""
    elsewhere = media.bucket()
    if elsewhere is not None:
        return elsewhere.move(media.name_of(digest), media.aside_name_of(digest))
    path, aside = media.path_of(digest), media.aside_of(digest)
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The grace counts from now on, whatever the file's age.
        os.utime(path, (now.timestamp(), now.timestamp()))
        path.rename(aside)
    except FileNotFoundError:
        return False
    return True


def finish(needed: Needed, *, now: datetime) -> int:
    """Delete what was set aside more than GRACE ago and what nothing needs; return how many files went.

    What is needed after all goes back. While a backup holds the photos, none goes.
    """
    if is_held(now=now):
        return 0
    gone, ripe = 0, list(_ripe(now))
    for start in range(0, len(ripe), BATCH):
        digests = ripe[start : start + BATCH]
        kept = needed(digests)
        for digest in digests:
            if digest in kept:
                _bring_back(digest)
            else:
                _drop(digest)
                gone += 1
    return gone


def hold(name: str) -> Path:
    """Keep every photo from going while a backup reads; touch the returned file now and then, and unlink it at the end."""
    path = _aside() / f"hold-{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def is_held(*, now: datetime) -> bool:
    """Whether a living backup holds the photos."""
    youngest = max((path.stat().st_mtime for path in _aside().glob("hold-*")), default=0.0)
    return youngest > (now - HOLD_LASTS).timestamp()


def _ripe(now: datetime) -> Iterator[str]:
    elsewhere = media.bucket()
    if elsewhere is not None:
        yield from (name for name, written in elsewhere.listed("aside") if written <= now - GRACE)
        return
    limit = (now - GRACE).timestamp()
    for entry in os.scandir(_aside()) if _aside().is_dir() else ():
        if not entry.name.startswith("hold-") and entry.stat().st_mtime <= limit:
            yield entry.name


def _drop(digest: str) -> None:
    elsewhere = media.bucket()
    if elsewhere is not None:
        elsewhere.delete(media.aside_name_of(digest))
    else:
        media.aside_of(digest).unlink(missing_ok=True)


def _bring_back(digest: str) -> None:
    elsewhere = media.bucket()
    if elsewhere is not None:
        elsewhere.move(media.aside_name_of(digest), media.name_of(digest))
        return
    path = media.path_of(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Where somebody stored the same bytes meanwhile, one replaces the other by itself.
        media.aside_of(digest).rename(path)
    except FileNotFoundError:
        pass  # another worker was faster


def _aside() -> Path:
    return Path(settings.VAR_DIR) / "media" / "aside"
