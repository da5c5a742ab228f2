"""What an audit rate buys: audits a day, days to a certificate, days until a line that got worse is noticed. Pure.

Planning figures, not guarantees: they say what happens in about half of all cases if the rates are as entered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import invgauss

from monitoring.eprocess import ALPHA, ERRORS_TO_HALF, MULTIPLES, curve, threshold
from policies.certify.binomial import expected_n

# Audits looked ahead for an alarm, in errors' worth at the limit: beyond that nothing is going to be noticed.
FURTHEST = 20_000


@dataclass(frozen=True, slots=True)
class Target:
    """A limit to be certified and watched: confidence 1 - delta, false alarms at most alpha."""

    limit: float
    delta: float = 0.05
    alpha: float = ALPHA


@dataclass(frozen=True, slots=True)
class Expected:
    """What a line is expected to do: items a day, the error rate, and the share of items that the limit counts.

    For an escape limit the share is that of the items decided as the class; for an overkill limit that of the items that
    truly are.
    """

    volume_per_day: float
    error_rate: float
    share: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One audit rate and what it buys; None where it never comes: the expected rate is not below the limit, or no audits."""

    audit_rate: float
    audits_per_day: float
    # Audited items until the limit is certified in half of all cases, those that it does not count included.
    audits_to_certificate: float | None
    days_to_certificate: float | None
    # Until half of all lines whose error rate went to twice the limit have been demoted.
    days_to_notice: float | None


def plan(target: Target, expected: Expected, audit_rates: Sequence[float]) -> tuple[Plan, ...]:
    """Return what each audit rate buys. Raises ValueError where the share is not above 0 and at most 1.

    Noticed is a rate of twice the *limit*: what is twice the expected rate but below the limit is still allowed, and no alarm.
    """
    if not 0 < expected.share <= 1:
        raise ValueError(f"A share is above 0 and at most 1, not {expected.share}.")
    counted = expected_n(target.limit, expected.error_rate, target.delta)
    noticed = audits_to_alarm(target.limit, 2 * target.limit, target.alpha, quiet_rate=expected.error_rate)
    audits = None if counted is None else counted / expected.share
    to_notice = None if noticed is None else noticed / expected.share
    plans = []
    for rate in audit_rates:
        a_day = rate * expected.volume_per_day
        plans.append(Plan(rate, a_day, audits, _days(audits, a_day), _days(to_notice, a_day)))
    return tuple(plans)


def audits_to_alarm(limit: float, rate: float, alpha: float = ALPHA, quiet_rate: float | None = None) -> int | None:
    """Return about the median number of counted audits from a change to `rate` until the alarm; None where it is not above.

    The change comes after 10 / limit quiet audits at `quiet_rate` (the limit itself where it is not given). First the audits
    that it takes if errors come evenly, so that the evidence grows at its mean speed; then, as an uneven stream is as often
    early as late but its late ones are much later, from this mean to the median of the time at which a random walk of that
    speed and spread first comes so far (the inverse Gaussian law, Schrödinger 1915). By simulation it is right to some
    20 % for twice the limit and more, rather too long than too short.
    """
    if rate <= limit:
        return None
    before = min(limit, limit if quiet_rate is None else quiet_rate)
    quiet = round(ERRORS_TO_HALF / limit)
    ahead, furthest = quiet, round(FURTHEST / limit)
    while True:
        evenly = np.concatenate([np.full(quiet, before), np.full(ahead, min(rate, 1.0))])
        reached = np.flatnonzero(curve(evenly, limit) >= threshold(alpha))
        if len(reached):
            return _median(limit, min(rate, 1.0), max(1, int(reached[0]) + 1 - quiet))
        if ahead >= furthest:
            return None
        ahead = min(4 * ahead, furthest)


def _median(limit: float, rate: float, mean: int) -> int:
    """Return the median first-passage time of a walk with this mean one, for the alternative that grows fastest."""
    logs = np.log(np.array(MULTIPLES))
    speeds = rate * logs - np.log1p(limit * (np.array(MULTIPLES) - 1))
    best = int(speeds.argmax())
    spread = rate * (1 - rate) * logs[best] ** 2
    if spread <= 0:
        return mean
    shape = (speeds[best] * mean) ** 2 / spread
    return max(1, round(float(invgauss.median(mean / shape, scale=shape))))


def _days(audits: float | None, a_day: float) -> float | None:
    return None if audits is None or a_day <= 0 else audits / a_day
