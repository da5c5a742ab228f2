"""What is certified for the next notch of the dial, and what is missing, in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.differences import percent
from monitoring.intervals import share
from monitoring.promise_page import LimitRow
from monitoring.promise_words import plural
from policies.models import Certification, PolicyVersion
from policies.modes import Mode


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """The line and its tone: good, warn or quiet."""

    tone: str
    words: str


def promise_line(
    rows: Sequence[LimitRow], certification: Certification | None, policy: PolicyVersion, *, model: bool, delta: float
) -> PromiseLine:
    """Return the line for a line's limits, the certification of its champion, and the policy in force."""
    if not rows:
        return PromiseLine("quiet", "No limit is stated, so no threshold is certified: any that you set is a guess.")
    if not model:
        return PromiseLine("quiet", "Limits are stated. A certificate is about one model, and none is in service.")
    if certification is None:
        return PromiseLine("warn", "Limits are stated; nobody has worked out yet which thresholds keep them.")
    missing = [row for row in rows if row.missing]
    if missing:
        first = missing[0]
        return PromiseLine(
            "warn",
            f"{len(rows) - len(missing)} of {plural(len(rows), 'limit')} certified. Missing: {first.name}: {first.missing}"
            + (f"; and {len(missing) - 1} more." if len(missing) > 1 else "."),
        )
    return _all_certified(rows, certification, policy, delta)


def _all_certified(rows: Sequence[LimitRow], certification: Certification, policy: PolicyVersion, delta: float) -> PromiseLine:
    found = share(certification.automated, certification.audits)
    would = f"{percent(round(found.value or 0, 3))} of items ({percent(round(found.low, 3))} to {percent(round(found.high, 3))}"
    would += f", n = {certification.audits:,})".replace(",", "\u202f")
    together = f"all {plural(len(rows), 'limit')} together at {percent(1 - delta)} confidence"
    mode = Mode(policy.mode)
    if mode is Mode.FULL:
        return PromiseLine("warn", f"Full is not certified: proven is Partial, where the model would decide {would}.")
    if mode is not Mode.PARTIAL:
        return PromiseLine("good", f"Certified for Partial: the model would decide {would} alone, {together}.")
    if all(row.in_force for row in rows):
        return PromiseLine("good", f"In force as certified: {together}. For Full there is no proof.")
    return PromiseLine("warn", f"The thresholds in force are not certified. At certified ones the model would decide {would}.")
