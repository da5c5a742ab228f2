"""On which side of the split an item lies: a function of the item alone, so that it never moves between versions. Pure."""

from __future__ import annotations

import hashlib
from typing import Literal

Split = Literal["train", "validation", "test"]

# Shares of 100: 70 train, 15 validation, 15 test.
TRAIN, VALIDATION = 70, 85


def split_of(line: str, external_id: str, media_digest: str) -> Split:
    """Return the side of an item.

    All photos of one unit (one external id) lie on one side, and so do identical photos without an id: a model is never
    tested on the unit that it was trained on. `review.datasets` sees to identical photos of different ids.
    """
    group = external_id or media_digest
    place = int.from_bytes(hashlib.sha256(f"split:{line}:{group}".encode()).digest()[:8], "big") % 100
    if place < TRAIN:
        return "train"
    return "validation" if place < VALIDATION else "test"
