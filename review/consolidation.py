"""From what several people said to what counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Standing(Enum):
    """How far the people who were asked have come."""

    WAITING = auto()
    AGREED = auto()
    DISAGREED = auto()


@dataclass(frozen=True, slots=True)
class Consensus:
    """The standing, and the answer where they agree."""

    standing: Standing
    answer: str | None = None


def consolidate(answers: Sequence[str], wanted: int) -> Consensus:
    """Return where the answers of different people stand; an empty one is unsure and does not count.

    As soon as two differ more answers of the same kind would not help: somebody has to decide between them.
    """
    given = [answer for answer in answers if answer]
    if len(set(given)) > 1:
        return Consensus(Standing.DISAGREED)
    if len(given) < wanted:
        return Consensus(Standing.WAITING)
    return Consensus(Standing.AGREED, given[0])
