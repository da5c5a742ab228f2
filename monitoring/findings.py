"""What a guardrail saw that is too much: handed from those who look to the one who acts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.models import Watch


@dataclass(frozen=True, slots=True)
class Finding:
    """A watch that is beyond its level, with the evidence as it is kept and shown."""

    watch: Watch
    # The moment from which its evidence counts.
    since: datetime
    # The whole of it in a few words: "6 escapes in 212 audits, limit 0.5 %".
    words: str
    evidence: Mapping[str, Any]
    # The class and the form of the limit, where it is about one.
    label: str = ""
    form: str = ""
