"""Counting what the main road did with a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.metrics import BYTES, ITEMS
from gateway.recording import Outcome


def count_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Count a recorded batch: one step a combination, not one an item."""
    for labels, number in Counter(_labels(outcome) for outcome in outcomes).items():
        ITEMS.labels(*labels).inc(number)
    if outcomes:
        BYTES.labels(outcomes[0].item.line.slug).inc(sum(outcome.item.media_bytes for outcome in outcomes))


def _labels(outcome: Outcome) -> tuple[str, str, str, str]:
    item = outcome.item
    return item.line.slug, item.policy.mode, item.route, item.reason
