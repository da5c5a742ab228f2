"""A share with its interval on a line: a dot and its whiskers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.charts.scale import Scale, round_up
from monitoring.intervals import Share

WIDTH, HEIGHT = 160, 16


@dataclass(frozen=True, slots=True)
class Whisker:
    """Everything the template draws."""

    width: int
    height: int
    low: float
    high: float
    dot: float | None
    title: str


def whisker(share: Share, top: float = 1.0) -> Whisker:
    """Return the drawing on an axis from 0 to `top`; what reaches beyond ends there."""
    x = Scale(0, top, 5, WIDTH - 5)
    value = share.value
    words = "nothing yet" if value is None else f"{value:.1%}, between {share.low:.1%} and {share.high:.1%}, n = {share.n}"
    return Whisker(
        WIDTH,
        HEIGHT,
        x(min(share.low, top)),
        x(min(share.high, top)),
        None if value is None else x(min(value, top)),
        words,
    )


def common_top(shares: list[Share]) -> float:
    """Return where an axis should end that all the shares' intervals fit on, at most 1."""
    ends = [entry.high for entry in shares if entry.n]
    return min(1.0, round_up(max(ends))) if ends else 1.0
