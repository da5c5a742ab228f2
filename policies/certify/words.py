"""What is asked of a certificate and what comes of it: limits, certificates, shortages. Pure.

Classes are named by their index, as in the probabilities [n, classes] that everything here is worked out from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

# One entry a class: the least probability at which it is decided alone, or None where it never is.
Thresholds = tuple[float | None, ...]


class Form(StrEnum):
    """Which share a limit holds down."""

    # Of what is decided as this class, the share that truly is not. For the negative: the escape rate.
    ESCAPE = "escape"
    # Of what truly is this class, the share that is decided as something else. For the negative: the overkill rate.
    OVERKILL = "overkill"


DENOMINATORS = {
    Form.ESCAPE: "audited items that are decided as this class",
    Form.OVERKILL: "audited items that truly are this class",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `epsilon` of the denominator of `form` may be decided wrongly for the class `label`."""

    label: int
    form: Form
    epsilon: float

    def __post_init__(self) -> None:
        """Refuse a limit that says nothing, with ValueError."""
        if not 0 < self.epsilon < 1:
            raise ValueError(f"A limit is between 0 and 1, not {self.epsilon}.")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof that a limit holds at thresholds: `k` wrong of `n` audited, and the true share is at most `bound` <= `epsilon`.

    All certificates that were worked out together hold together with confidence 1 - `delta`. `level` is the part of delta at
    which this one was tested, and `bound` is the exact one-sided upper bound (Clopper and Pearson 1934) at 1 - `level`.
    """

    label: int
    form: Form
    # Those that the limit speaks about: the class's own for an escape limit, those of the other classes for an overkill limit.
    thresholds: Thresholds
    epsilon: float
    delta: float
    level: float
    n: int
    k: int
    bound: float

    @property
    def denominator(self) -> str:
        """What `n` counts, in words."""
        return DENOMINATORS[self.form]

    @property
    def threshold(self) -> float | None:
        """The one threshold it speaks about, where there is only one."""
        spoken = [threshold for threshold in self.thresholds if threshold is not None]
        return spoken[0] if len(spoken) == 1 else None


@dataclass(frozen=True, slots=True)
class Shortage:
    """A limit that the data cannot certify: `have` audited items are there, about `need` would do if all goes on as seen.

    `need` is None where no number of audits helps: even the surest items break the limit, or the class was never met.
    """

    label: int
    form: Form
    epsilon: float
    have: int
    need: int | None

    @property
    def missing(self) -> int | None:
        """How many more audited items it takes."""
        return None if self.need is None else max(1, self.need - self.have)


@dataclass(frozen=True, slots=True)
class Certification:
    """The thresholds that automate most under all limits, and the proof or the shortage of each limit, in the limits' order."""

    thresholds: Thresholds
    outcomes: tuple[Certificate | Shortage, ...]
    delta: float

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The limits that are certified."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Certificate))

    @property
    def shortages(self) -> tuple[Shortage, ...]:
        """The limits that are not."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Shortage))


def days(shortage: Shortage, volume_per_day: float, audit_rate: float) -> int | None:
    """Return the whole days until the missing audits are there, at this volume (items a day) and audit rate; None: never."""
    audits_per_day = volume_per_day * audit_rate
    if shortage.missing is None or audits_per_day <= 0:
        return None
    return ceil(shortage.missing / audits_per_day)
