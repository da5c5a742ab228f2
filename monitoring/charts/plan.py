"""Days to a certificate and days to notice, against the audit rate. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitoring.charts.scale import Scale, Tick, percent_ticks, round_up
from monitoring.planner import Plan

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 14, 40
# The curves fall as one over the rate: what lies above this many times the days at the chosen rate tells nothing.
HEADROOM = 3
Read = Callable[[Plan], float | None]
LINES: tuple[tuple[str, str, Read], ...] = (
    ("certificate", "days to the certificate", lambda plan: plan.days_to_certificate),
    ("notice", "days to notice twice the limit", lambda plan: plan.days_to_notice),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve, the point of the chosen rate on it, and the point's words."""

    key: str
    points: str
    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class PlanChart:
    """Everything the template draws."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def rates_to_draw(chosen: float, points: int = 60) -> list[float]:
    """Return audit rates from near 0 to beyond the chosen one, evenly spaced; the axis ends at the last."""
    top = min(1.0, round_up(max(0.1, 2 * chosen)))
    return [top * place / points for place in range(1, points + 1)]


def plan_chart(plans: Sequence[Plan], chosen: Plan) -> PlanChart:
    """Return the drawing of `plans`, one at each rate of `rates_to_draw`; a curve of what never comes is left out."""
    marks = [days for _, _, read in LINES if (days := read(chosen)) is not None]
    top = round_up(HEADROOM * max(marks)) if marks else 1.0
    x = Scale(0, plans[-1].audit_rate, LEFT, WIDTH - RIGHT)
    y = Scale(0, top, HEIGHT - BOTTOM, TOP)
    lines = (_line(key, title, read, plans, chosen, x, y, top) for key, title, read in LINES)
    return PlanChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        lines=tuple(line for line in lines if line is not None),
        x_ticks=percent_ticks(x, plans[-1].audit_rate),
        y_ticks=tuple(Tick(y(top * part / 4), f"{top * part / 4:g}") for part in range(5)),
    )


def _line(
    key: str,
    title: str,
    read: Read,
    plans: Sequence[Plan],
    chosen: Plan,
    x: Scale,
    y: Scale,
    top: float,
) -> Line | None:
    mark = read(chosen)
    if mark is None:
        return None
    seen = [(plan.audit_rate, days) for plan in plans if (days := read(plan)) is not None and days <= top]
    points = " ".join(f"{x(rate)},{y(days)}" for rate, days in seen)
    return Line(key, points, x(chosen.audit_rate), y(mark), f"{title}: {mark:,.1f} at {chosen.audit_rate * 100:.3g} %")
