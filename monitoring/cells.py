"""What people said against what the model said, counted: the one table from which every rate on the pages comes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# Steps of the score axis. The last bin holds scores of exactly 1, so that a threshold of 1 counts them.
FINE = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """`count` labelled items that are alike in everything below."""

    # The label: what people settled on. The answer of the prediction that routed the item.
    truth: str
    said: str
    # The prediction's score: floor(score * FINE).
    bin: int
    # Primary key of the model version; None where the caller brought the prediction.
    version: int | None
    # Nobody who judged it had seen the prediction.
    blind: bool
    # Somebody who judged it had seen the prediction. Neither is true where it could be seen and was not.
    seen: bool
    # People would have seen it whatever its score: it is in the audit sample, or the mode sent every item to people blind.
    random: bool
    in_audit: bool
    # The model decided it alone.
    automated: bool
    # The mode allowed the model to decide alone.
    model_may_decide: bool
    count: int

    @property
    def right(self) -> bool:
        """Whether the model said what people say."""
        return self.truth == self.said

    @property
    def trusted(self) -> bool:
        """Whether it may judge the model: blind, and chosen without looking at the score."""
        return self.blind and self.random


def total(cells: Iterable[Cell]) -> int:
    """Return the number of items in the cells."""
    return sum(cell.count for cell in cells)


def merged(cells: Iterable[Sequence[Any]]) -> list[Cell]:
    """Return cells, given as their fields in order, with those that are alike joined."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for *alike, count in cells:
        counts[tuple(alike)] += count
    return [Cell(*(*alike, count)) for alike, count in counts.items()]
