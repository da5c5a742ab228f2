"""What a difference between judging with and without the model's answer means, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.bias import WIDEST, Difference, Leaning
from monitoring.selectors.leaning import Leanings

EVERYBODY = "Everybody"


@dataclass(frozen=True, slots=True)
class LeaningRow:
    """One inspector, or everybody: both differences, with their words."""

    who: str
    agreement: Difference
    agreement_words: str
    misses: Difference
    misses_words: str


def leaning_row(found: Leaning) -> LeaningRow:
    """Return the row of one inspector, or of everybody."""
    return LeaningRow(
        found.inspector or EVERYBODY,
        found.agreement,
        agreement_words(found.agreement),
        found.misses,
        misses_words(found.misses),
    )


def leaning_rows(found: Leanings) -> list[LeaningRow]:
    """Return everybody first, then each inspector; one inspector is everybody."""
    return [leaning_row(one) for one in (found.everybody, *(found.each if len(found.each) > 1 else ()))]


def agreement_words(found: Difference) -> str:
    """Return what the difference in agreement says."""
    return _words(
        found,
        more="Seeing the answer makes people say the same more often.",
        less="Seeing the answer makes people say the same less often.",
        n="judgements",
    )


def misses_words(found: Difference) -> str:
    """Return what the difference in misses says."""
    return _words(
        found,
        more="Where the model is wrong, people who see its answer repeat the error more often.",
        less="Where the model is wrong, people who see its answer repeat the error less often.",
        n="judgements where the model was wrong",
    )


def _words(found: Difference, *, more: str, less: str, n: str) -> str:
    lacking = [
        f"{share.missing} more {arm}" for share, arm in ((found.shown, "shown"), (found.blind, "blind")) if share.too_small
    ]
    if lacking:
        return f"Too few to say: {' and '.join(lacking)} {n} needed."
    if found.too_small:
        return f"Too few to say: the range is wider than {WIDEST * 100:.0f} points."
    if found.leans:
        return more
    return less if found.high < 0 else f"No difference that this many {n} could tell from chance."
