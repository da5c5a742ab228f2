"""How far people lean on the model: what they say when they see its answer against what they say blind. Pure.

In assist the audit sample is a random blind arm, so that both arms have the same kind of items, and a difference in agreement
is what seeing the prediction does. Agreement alone does not tell good advice from blind trust; for that, the items count on
which the model was wrong (by a second blind judgement): how often people then said the same wrong thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from monitoring.intervals import CONFIDENCE, Share, share

# A wider interval could not tell people who follow the model one time in five from people who never do.
WIDEST = 0.4


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement of an item for which the model had an answer."""

    inspector: str
    # Whether the inspector saw the model's answer before judging.
    shown: bool
    agrees: bool
    # Whether the model was wrong by a second blind judgement; None where there was none.
    model_wrong: bool | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A share when shown minus the share when blind, with its interval."""

    shown: Share
    blind: Share
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The difference; None where an arm is empty."""
        if self.shown.value is None or self.blind.value is None:
            return None
        return self.shown.value - self.blind.value

    @property
    def too_small(self) -> bool:
        """Whether nothing can be said: an arm has too few, or the interval is wider than 40 points."""
        return self.shown.too_small or self.blind.too_small or self.high - self.low > WIDEST

    @property
    def leans(self) -> bool:
        """Whether the whole interval is above 0: people go along with the model because they see it."""
        return not self.too_small and self.low > 0


@dataclass(frozen=True, slots=True)
class Leaning:
    """What the judgements of one inspector, or of all (`inspector` is None), say."""

    inspector: str | None
    agreement: Difference
    # Of judgements on items where the model was wrong, those that said the same wrong thing.
    misses: Difference


def leaning(judged: Sequence[Judged]) -> tuple[Leaning, ...]:
    """Return the leaning of all inspectors together, then of each in the order of their names."""
    names = sorted({one.inspector for one in judged})
    return (_leaning(None, judged), *(_leaning(name, [one for one in judged if one.inspector == name]) for name in names))


def difference(shown: Share, blind: Share) -> Difference:
    """Return shown - blind with Newcombe's hybrid score interval without continuity correction (Newcombe 1998, method 10).

    It is made of the two Wilson intervals, which must have been made at one confidence. [-1, 1] where an arm is empty.
    """
    if shown.value is None or blind.value is None:
        return Difference(shown, blind, -1.0, 1.0)
    found = shown.value - blind.value
    below = sqrt((shown.value - shown.low) ** 2 + (blind.high - blind.value) ** 2)
    above = sqrt((shown.high - shown.value) ** 2 + (blind.value - blind.low) ** 2)
    return Difference(shown, blind, max(-1.0, found - below), min(1.0, found + above))


def _leaning(inspector: str | None, judged: Sequence[Judged]) -> Leaning:
    return Leaning(inspector, _difference(judged), _difference([one for one in judged if one.model_wrong]))


def _difference(judged: Sequence[Judged]) -> Difference:
    return difference(_agreeing(one for one in judged if one.shown), _agreeing(one for one in judged if not one.shown))


def _agreeing(judged: Iterable[Judged]) -> Share:
    agrees = [one.agrees for one in judged]
    return share(sum(agrees), len(agrees), CONFIDENCE)
