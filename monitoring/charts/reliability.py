"""Does the model's confidence mean what it says? Confidence against how often it was right. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.charts.scale import Scale, Tick, percent_ticks

SIZE = 320
LEFT, RIGHT, TOP, BOTTOM = 46, 24, 10, 40


@dataclass(frozen=True, slots=True)
class Dot:
    """One bin of confidence that has examples in it."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    n: int
    confidence: float
    right: float
    title: str


@dataclass(frozen=True, slots=True)
class Reliability:
    """Everything the template draws."""

    size: int
    left: int
    right: int
    top: int
    bottom: int
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def reliability(bins: Sequence[Mapping[str, Any]]) -> Reliability:
    """Return the drawing. A bin is {"confidence", "right": {"value", "low", "high", "n"}}; empty bins are left out."""
    x, y = Scale(0, 1, LEFT, SIZE - RIGHT), Scale(0, 1, SIZE - BOTTOM, TOP)
    filled = [entry for entry in bins if entry.get("confidence") is not None and entry["right"]["n"]]
    most = max((entry["right"]["n"] for entry in filled), default=1)
    return Reliability(
        size=SIZE,
        left=LEFT,
        right=SIZE - RIGHT,
        top=TOP,
        bottom=SIZE - BOTTOM,
        dots=tuple(_dot(entry, x, y, most) for entry in filled),
        x_ticks=percent_ticks(x),
        y_ticks=percent_ticks(y),
    )


def _dot(entry: Mapping[str, Any], x: Scale, y: Scale, most: int) -> Dot:
    confidence, right = float(entry["confidence"]), entry["right"]
    title = (
        f"{confidence:.0%} sure, right {right['value']:.0%} of the time "
        f"({right['low']:.0%} to {right['high']:.0%}, n = {right['n']})"
    )
    # The area goes with the number of examples, so that a bin of three does not look like a bin of three hundred.
    radius = round(3 + 5 * (right["n"] / most) ** 0.5, 1)
    return Dot(
        x(confidence),
        y(right["value"]),
        y(right["low"]),
        y(right["high"]),
        radius,
        right["n"],
        confidence,
        right["value"],
        title,
    )
