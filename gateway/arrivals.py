"""What has passed the door and not yet the policy: one item to be, decoded and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gateway import media
from inference.kinds.base import Decoded
from inference.predictions import Scores


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item at the door."""

    data: bytes
    decoded: Decoded
    external_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    # What the caller's own model said, where it brought a prediction.
    scores: Scores | None = None
    # False: no photo is kept after the decision.
    consent: bool = True
    # The name of the bytes, computed once.
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", media.digest_of(self.data))

    @property
    def fingerprint(self) -> str:
        """What makes this arrival the same request again: its bytes and fields, not the boundary of a multipart body."""
        prediction = (
            [sorted(self.scores.probabilities.items()), [repr(r) for r in self.scores.regions]] if self.scores else None
        )
        parts = [self.digest, self.external_id, self.metadata, prediction]
        # Only where it was refused, so that keys given out before there was the field still find their answers.
        return json.dumps(parts if self.consent else [*parts, "no consent"], sort_keys=True)
