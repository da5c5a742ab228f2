"""Limits, proofs and what is missing for them, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.differences import percent
from monitoring.selectors.promises import Pace
from policies.certify.binomial import passes_needed
from policies.certify.words import Form, Shortage, days
from policies.models import Certificate, LabelClass
from policies.modes import Mode


def name_of(label: LabelClass, form: str) -> str:
    """Return what a limit is called."""
    if label.is_negative:
        return "Escape rate" if form == Form.ESCAPE else "Overkill rate"
    return f"Called {label.name} wrongly" if form == Form.ESCAPE else f"{label.name} missed"


def denominator_of(label: LabelClass, form: str) -> str:
    """Return what the limit is a share of."""
    if form == Form.ESCAPE:
        return f"items that the model passes as {label.name}" if label.is_negative else f"items that it decides as {label.name}"
    return f"items that truly are {label.name}"


def wrong_of(label: LabelClass, form: str) -> str:
    """Return what makes such an item wrong."""
    if form == Form.ESCAPE:
        return "are defective" if label.is_negative else "are something else"
    return "are rejected by the model" if label.is_negative else "are decided as something else"


def sentence_of(label: LabelClass, form: str, epsilon: float) -> str:
    """Return the limit as a sentence with its denominator."""
    return f"Of all {denominator_of(label, form)}, at most {percent(epsilon)} {wrong_of(label, form)}."


def missing_in_words(row: Certificate, pace: Pace, level: float) -> str:
    """Return what the data lack for a limit that is not certified; `level` is its part of delta."""
    if row.need is None:
        if not row.n:
            least = passes_needed(row.epsilon, level)
            return f"no audited item of this model yet: at least {plural(least, 'item')} that it counts, all of them right"
        return "no number of audits would do: too many of the surest are wrong, or no audited item is one that it counts"
    shortage = Shortage(0, Form(row.form), row.epsilon, row.n, row.need)
    wait = days(shortage, pace.volume_per_day, pace.audit_rate)
    more = f"need {plural(shortage.missing or 0, 'more audited item')}"
    if wait is None:
        return f"{more}, and at today's volume and audit rate none come"
    return f"{more}: about {plural(wait, 'day')} at today's volume and audit rate"


def holds(label: str, form: str, *, mode: Mode, in_force: Mapping[str, float], certified: Mapping[str, float]) -> bool:
    """Whether the certified limit covers the policy in force: where the model decides alone, it does so as certified.

    An escape limit speaks about its own class's threshold, an overkill limit about those of all other classes.
    """
    if mode.level < Mode.PARTIAL.level:
        return True
    if mode is Mode.FULL:
        return False
    spoken = {key: value for key, value in in_force.items() if (key == label) == (form == Form.ESCAPE)}
    return all(certified.get(key) == value for key, value in spoken.items())


def plural(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", "\u202f")
