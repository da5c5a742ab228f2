"""Automation against the escape rate: the trade that a threshold makes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.charts.scale import Scale, Tick, percent_ticks, round_up
from monitoring.threshold_curve import ThresholdCurve

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 20, 16, 40
# With fewer audited items the rate jumps so that it would only stretch the axis.
LEAST_AUDITED = 30
ROWS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """One policy on the chart; `low` and `high` are the ends of its interval in the drawing, None where there is no rate."""

    key: str
    title: str
    x: float
    y: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One threshold for those who read the table. Shares from 0 to 1; the rate is None of nothing audited."""

    threshold: float
    automation: float
    rate: float | None
    low: float
    high: float
    n: int
    k: int


@dataclass(frozen=True, slots=True)
class Trade:
    """Everything the template draws. `band` and `line` are points of an SVG polygon and polyline; `top` is the axis' end."""

    width: int
    height: int
    left: int
    right: int
    upper: int
    bottom: int
    top: float
    band: str
    line: str
    # The height of the limit's line, where one is stated.
    limit: float | None
    points: tuple[Point, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


def trade(curve: ThresholdCurve, columns: dict[str, dict[str, Any]], limit: float | None) -> Trade:
    """Return the drawing. `columns` are replays as `monitoring.evidence.column` writes them, by their key."""
    band = curve.escapes
    rates = np.divide(band.k, band.n, out=np.zeros(len(band.n)), where=band.n > 0)
    top = _top(rates[band.n >= LEAST_AUDITED].tolist(), columns, limit)
    x, y = Scale(0, 1, LEFT, WIDTH - RIGHT), Scale(0, top, HEIGHT - BOTTOM, TOP)
    known = np.flatnonzero(band.n > 0)
    upper = [f"{x(curve.automation[at])},{y(min(top, band.high[at]))}" for at in known]
    lower = [f"{x(curve.automation[at])},{y(min(top, band.low[at]))}" for at in reversed(known)]
    return Trade(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        upper=TOP,
        bottom=HEIGHT - BOTTOM,
        top=top,
        band=" ".join(upper + lower),
        line=" ".join(f"{x(curve.automation[at])},{y(min(top, rates[at]))}" for at in known),
        limit=None if limit is None else y(limit),
        points=tuple(_point(key, found, x, y) for key, found in columns.items()),
        x_ticks=percent_ticks(x),
        y_ticks=percent_ticks(y, top),
        rows=tuple(_rows(curve)),
    )


def _top(rates: Sequence[float], columns: dict[str, dict[str, Any]], limit: float | None) -> float:
    """Return the axis' end: limit, curve and points are all to be seen, the ends of wide bands are not."""
    shown = [found["escapes"]["rate"]["value"] for found in columns.values() if found["escapes"]["rate"]]
    return min(1.0, round_up(1.1 * max([*rates, *shown, 2 * (limit or 0.0), 0.001])))


def _point(key: str, found: dict[str, Any], x: Scale, y: Scale) -> Point:
    rate, at = found["escapes"]["rate"], x(found["automated_share"])
    if rate is None:
        return Point(key, f"{found['automated_share']:.0%} automated, no escape rate known", at, y(0), None, None)
    words = (
        f"{found['automated_share']:.0%} automated, escape rate {rate['value']:.2%} ({rate['low']:.2%} to {rate['high']:.2%})"
    )
    return Point(key, words, at, y(rate["value"]), y(rate["low"]), y(min(y.high, rate["high"])))


def _rows(curve: ThresholdCurve) -> list[Row]:
    step = max(1, len(curve.thresholds) // ROWS)
    band = curve.escapes
    return [
        Row(
            float(curve.thresholds[at]),
            float(curve.automation[at]),
            float(band.k[at] / band.n[at]) if band.n[at] else None,
            float(band.low[at]),
            float(band.high[at]),
            int(band.n[at]),
            int(band.k[at]),
        )
        for at in range(0, len(curve.thresholds), step)
    ]
