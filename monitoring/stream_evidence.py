"""What the e-process says about one stream of audits, as it is kept with an alarm and drawn on the pages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.eprocess import curve, threshold

# Points kept of a curve: more than a screen shows.
POINTS = 240


@dataclass(frozen=True, slots=True)
class Evidence:
    """`k` wrong of `n` audits against a limit. Evidence is a natural logarithm: 0 before the first audit."""

    n: int
    k: int
    limit: float
    log_e: float
    log_peak: float
    # Where the alarm is: the logarithm of the number of streams over alpha.
    line: float
    # The number of audits after which the evidence was first enough; None where it never was.
    alarm_at: int | None
    # (audits, evidence), some POINTS of them, first and last and highest among them.
    points: tuple[tuple[int, float], ...]


def evidence(outcomes: Sequence[int], limit: float, *, alpha: float, streams: int) -> Evidence:
    """Return where the evidence stands after the outcomes, each looked at, with alpha shared equally over `streams`."""
    line = threshold(alpha, streams)
    found = curve(np.array(outcomes, dtype=np.float64), limit) if outcomes else np.zeros(0)
    crossed = np.flatnonzero(found >= line)
    return Evidence(
        n=len(outcomes),
        k=sum(outcomes),
        limit=limit,
        log_e=float(found[-1]) if found.size else 0.0,
        log_peak=max(0.0, float(found.max())) if found.size else 0.0,
        line=line,
        alarm_at=int(crossed[0]) + 1 if crossed.size else None,
        points=_points(found),
    )


def _points(found: NDArray[np.float64]) -> tuple[tuple[int, float], ...]:
    if not found.size:
        return ((0, 0.0),)
    places = {round(place) for place in np.linspace(0, found.size - 1, min(POINTS, found.size))}
    places |= {int(found.argmax()), found.size - 1}
    return ((0, 0.0), *((place + 1, round(float(found[place]), 4)) for place in sorted(places)))
