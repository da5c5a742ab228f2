"""The clock that wakes the worker: Celery's own, which a full disk does not stop.

It notes in a file when it woke for what. Where the note cannot be written Celery's clock ends without a word, while the worker
goes on: no fail-safe, no guardrail and no webhook from then on. What is lost with a note is the time of the last waking, and
after a restart something is done once more.
"""

from __future__ import annotations

import logging

from celery.beat import PersistentScheduler

logger = logging.getLogger(__name__)


class Clock(PersistentScheduler):
    """A scheduler that goes on where its notes cannot be written."""

    def sync(self) -> None:
        """Write the notes; what goes wrong with them is told in the log."""
        try:
            super().sync()
        except OSError as error:
            logger.warning("the clock cannot write its notes: %s", error)
