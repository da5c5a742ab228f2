"""A share over time, with its interval as a band. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from monitoring.charts.scale import Scale, Tick, percent_ticks
from monitoring.intervals import Share

WIDTH, HEIGHT = 960, 170
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 10, 28
# About as many labels as fit side by side.
LABELS = 8


@dataclass(frozen=True, slots=True)
class Dot:
    """One bucket with items in it."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """The same bucket for those who read the table."""

    when: str
    share: Share


@dataclass(frozen=True, slots=True)
class Trend:
    """Everything the template draws. `bands` and `lines` are lists of points for SVG polygons and polylines."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    bands: tuple[str, ...]
    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]

    @property
    def empty(self) -> bool:
        """Whether no bucket has an item."""
        return not self.dots


def trend(points: Sequence[tuple[datetime, Share]], *, hours: bool) -> Trend:
    """Return the drawing of (start of bucket, share) in order of time; buckets of nothing leave a gap."""
    x = Scale(0, max(1, len(points) - 1), LEFT + 6, WIDTH - RIGHT - 6)
    y = Scale(0, 1, HEIGHT - BOTTOM, TOP)
    dots = {position: _dot(x(position), y, at, share, hours=hours) for position, (at, share) in enumerate(points) if share.n}
    runs = _runs(sorted(dots))
    step = max(1, -(-len(points) // LABELS))
    return Trend(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        bands=tuple(_band([dots[position] for position in run]) for run in runs if len(run) > 1),
        lines=tuple(" ".join(f"{dots[position].x},{dots[position].y}" for position in run) for run in runs),
        dots=tuple(dots[position] for position in sorted(dots)),
        x_ticks=tuple(Tick(x(position), when(points[position][0], hours=hours)) for position in range(0, len(points), step)),
        y_ticks=percent_ticks(y),
        rows=tuple(Row(when(at, hours=hours), share) for at, share in points if share.n),
    )


def when(at: datetime, *, hours: bool) -> str:
    """Return a bucket's start as short as its axis allows, in the local time of the reader's site."""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if hours else f"{local.day} {local:%b}"


def _dot(x: float, y: Scale, at: datetime, share: Share, *, hours: bool) -> Dot:
    value = share.value or 0.0
    title = f"{when(at, hours=hours)}: {value:.0%} ({share.low:.0%} to {share.high:.0%}, n = {share.n})"
    return Dot(x, y(value), y(share.low), y(share.high), title)


def _runs(positions: Sequence[int]) -> list[list[int]]:
    """Split positions into stretches without a gap."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and runs[-1][-1] == position - 1:
            runs[-1].append(position)
        else:
            runs.append([position])
    return runs


def _band(dots: Sequence[Dot]) -> str:
    upper = [f"{dot.x},{dot.high}" for dot in dots]
    lower = [f"{dot.x},{dot.low}" for dot in reversed(dots)]
    return " ".join(upper + lower)
