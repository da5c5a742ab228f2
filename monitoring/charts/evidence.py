"""The evidence against a limit, audit by audit, with the line at which the alarm goes off. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from monitoring.charts.scale import Scale, Tick

WIDTH, HEIGHT = 960, 220
LEFT, RIGHT, TOP, BOTTOM = 62, 96, 14, 34
# Evidence for the limit may sink without end; below this it only says that all is well.
LOWEST = log(0.1)
# Rows of the table for those who cannot see the drawing.
ROWS = 12
TICKS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """The evidence after so many audits, as a factor: 1 before the first."""

    audits: int
    factor: str


@dataclass(frozen=True, slots=True)
class EvidenceChart:
    """Everything the template draws; `crossing` is where the alarm went off."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    points: str
    alarm_y: float
    alarm_text: str
    crossing: tuple[float, float] | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


def evidence_chart(points: Sequence[Sequence[float]], line: float, alarm_at: int | None) -> EvidenceChart:
    """Return the drawing of (audits, natural logarithm of the evidence); the alarm goes off at the evidence `line`."""
    last = max(1, round(points[-1][0]))
    top = max(line, *(height for _, height in points)) + 0.6
    x = Scale(0, last, LEFT, WIDTH - RIGHT)
    y = Scale(LOWEST, top, HEIGHT - BOTTOM, TOP)
    places = [(x(audits), y(max(LOWEST, height))) for audits, height in points]
    crossed = next((place for place, point in zip(places, points, strict=True) if alarm_at and point[0] >= alarm_at), None)
    step = max(1, -(-len(points) // ROWS))
    return EvidenceChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        points=" ".join(f"{across},{up}" for across, up in places),
        alarm_y=y(line),
        alarm_text=f"alarm at {factor(line)}",
        crossing=crossed,
        x_ticks=tuple(Tick(x(last * part / TICKS), f"{round(last * part / TICKS):,}") for part in range(TICKS + 1))
        if last >= TICKS
        else tuple(Tick(x(audits), str(audits)) for audits in range(last + 1)),
        y_ticks=tuple(Tick(y(log(10) * power), factor(log(10) * power)) for power in range(-1, int(top / log(10)) + 1)),
        rows=tuple(Row(round(audits), factor(height)) for audits, height in [*points[::step][:ROWS], points[-1]]),
    )


def factor(height: float) -> str:
    """Return evidence as the factor it is: 0.1, 1, 20, 3,500; beyond a million only as a power of ten."""
    if height > log(1e6):
        return f"10^{height / log(10):.0f}"
    value = exp(height)
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
