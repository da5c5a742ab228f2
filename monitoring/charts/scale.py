"""Turning numbers into places in a drawing. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from the values `low` to `high` to the coordinates `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of `value`, to a hundredth of a unit; finer is only longer."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.0
        return round(self.start + share * (self.end - self.start), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


def round_up(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten, so that an axis ends at a number people read at a glance."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value * (1 - 1e-12))


def percent_ticks(scale: Scale, top: float = 1.0, parts: int = 4) -> tuple[Tick, ...]:
    """Return evenly spaced marks from 0 to `top`, in per cent."""
    return tuple(Tick(scale(top * part / parts), f"{top * part / parts * 100:g} %") for part in range(parts + 1))
