"""What a policy would have done with a line's past. Pure and vectorised: 100,000 items take some milliseconds.

Only items whose truth is known without the policy's doing may speak about errors: the audited ones, whose labels are blind.
Everything else is counted exactly, as routing is a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from policies.certify.binomial import lower_bound, upper_bound
from policies.certify.words import Thresholds
from policies.modes import Mode

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CONFIDENCE = 0.95
# In `decided`: a person decides. In `truth`: not known from a blind label of the audit sample.
PERSON = -1
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Past:
    """A line's items, all arrays [n]: what the model leaned to and how sure it was, the draw, and the truth where audited.

    `said` is PERSON where no model could say anything. `hours` is the span over which they arrived.
    """

    said: Ints
    score: Floats
    draw: Floats
    truth: Ints
    hours: float
    negative: int = 0

    def __len__(self) -> int:
        """The number of items."""
        return len(self.said)


@dataclass(frozen=True, slots=True)
class Trial:
    """The policy to try: what of it routes."""

    mode: Mode
    thresholds: Thresholds
    audit_rate: float


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Errors:
    """Decisions that would have been wrong: `k` of `n` audited, the rate, and the number expected among all items.

    `rate` and `expected` are None where no audited item speaks for them; their intervals are Clopper and Pearson's (1934).
    """

    n: int
    k: int
    rate: Range | None
    expected: Range | None


@dataclass(frozen=True, slots=True)
class Replay:
    """What the trial would have done. `decided` [n] is the class that the model would have decided, or PERSON."""

    decided: Ints
    looked_at: int
    automated_share: float
    referrals_per_hour: float
    # Hours of reviewers' active work over the whole span; None where nobody's time is known.
    reviewer_hours: Range | None
    escapes: Errors
    overkill: Errors


def replay(past: Past, trial: Trial, seconds: Floats) -> Replay:
    """Return what `trial` would have done. `seconds` [m] are active seconds of past judgements, of the same kind of work.

    Referrals are items that people look at: those that the model would not have decided, and the audited ones of the others.
    """
    decided = decide_all(past, trial)
    automated = decided != PERSON
    looked_at = int((~automated | (past.draw < trial.audit_rate)).sum())
    return Replay(
        decided=decided,
        looked_at=looked_at,
        automated_share=float(automated.mean()) if len(past) else 0.0,
        referrals_per_hour=looked_at / past.hours if past.hours > 0 else 0.0,
        reviewer_hours=_hours(seconds, looked_at),
        escapes=_escapes(past, decided),
        overkill=_overkill(past, decided),
    )


def decide_all(past: Past, trial: Trial) -> Ints:
    """Return the class that the model would decide for each item, PERSON where people would; the same rule as `decide`."""
    if trial.mode is Mode.FULL:
        return past.said
    if trial.mode is not Mode.PARTIAL:
        return np.full(len(past), PERSON)
    least = np.array([np.inf if threshold is None else threshold for threshold in trial.thresholds] + [np.inf])
    # The entry at the end is that of PERSON, which is -1.
    decided: Ints = np.where(past.score >= least[past.said], past.said, PERSON)
    return decided


def flipped(before: Ints, after: Ints) -> NDArray[np.intp]:
    """Return the indices of items whose decider or decision is not the same, from two replays' `decided`."""
    return np.flatnonzero(before != after)


def _escapes(past: Past, decided: Ints) -> Errors:
    passed = decided == past.negative
    audited = passed & (past.truth != UNKNOWN)
    n, k = int(audited.sum()), int((audited & (past.truth != past.negative)).sum())
    return Errors(n, k, _interval(n, k), _interval(n, k, times=int(passed.sum())))


def _overkill(past: Past, decided: Ints) -> Errors:
    """Count good items rejected. How many good ones there are is not known, so the number comes from all audited items."""
    known = int((past.truth != UNKNOWN).sum())
    good = past.truth == past.negative
    n, k = int(good.sum()), int((good & (decided != PERSON) & (decided != past.negative)).sum())
    return Errors(n, k, _interval(n, k), _interval(known, k, times=len(past)))


def _interval(n: int, k: int, times: int = 1) -> Range | None:
    """Return `times` the rate of `k` in `n` with its interval; None of nothing."""
    tail = (1 - CONFIDENCE) / 2
    return Range(times * k / n, times * float(lower_bound(k, n, tail)), times * float(upper_bound(k, n, tail))) if n else None


def _hours(seconds: Floats, looks: int) -> Range | None:
    """Return the work of so many looks, by the mean seconds and Student's interval of it; the looks themselves are exact."""
    if not len(seconds):
        return None
    mean = float(seconds.mean())
    if len(seconds) == 1:
        return Range(mean * looks / 3600, 0.0, float("inf") if looks else 0.0)
    reach = float(student.ppf((1 + CONFIDENCE) / 2, len(seconds) - 1) * seconds.std(ddof=1) / len(seconds) ** 0.5)
    return Range(mean * looks / 3600, max(0.0, mean - reach) * looks / 3600, (mean + reach) * looks / 3600)
