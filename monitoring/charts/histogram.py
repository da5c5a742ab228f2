"""How sure the model was where it said one class, split by what people say about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.charts.scale import Scale, Tick, round_up
from monitoring.what_if import COARSE, ClassScores, coarse

WIDTH, HEIGHT = 400, 124
TOP, BOTTOM = 14, 22
# What is there must be seen, however few.
LEAST_HEIGHT = 1.5
GAP = 1.5


@dataclass(frozen=True, slots=True)
class Bar:
    """One coloured part of one bar."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    title: str

    @property
    def path(self) -> str:
        """Its outline as one text: of five values a page with many bars would be mostly formatting numbers."""
        return f"M{self.x} {self.y}h{self.width}v{self.height}h{-self.width}z"


@dataclass(frozen=True, slots=True)
class Row:
    """One bar for those who read the table."""

    span: str
    right: int
    wrong: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Everything the template draws. The plot spans the full width, so that a slider below it lines up."""

    width: int
    height: int
    top: int
    bottom: int
    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    most: int
    rows: tuple[Row, ...]
    # Where the threshold stands; None where the class has none.
    threshold: float | None
    items: int


def histogram(scores: ClassScores, threshold: float | None) -> Histogram:
    """Return the drawing of one class in COARSE bars over the score."""
    right, wrong = coarse(scores.right), coarse(scores.wrong)
    every = coarse(scores.all)
    # A label may be younger than the window's last prediction count by a moment; never draw less than nothing.
    unknown = [max(0, whole - good - bad) for whole, good, bad in zip(every, right, wrong, strict=True)]
    most = max(max(every), 1)
    x, y = Scale(0, 1, 0, WIDTH), Scale(0, round_up(most), HEIGHT - BOTTOM, TOP)
    return Histogram(
        width=WIDTH,
        height=HEIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        bars=tuple(_bars(x, y, right, wrong, unknown)),
        x_ticks=tuple(Tick(x(part / 4), f"{part * 25} %") for part in range(5)),
        most=max(every),
        rows=tuple(
            Row(span_of(position), right[position], wrong[position], unknown[position])
            for position in range(COARSE)
            if every[position]
        ),
        threshold=None if threshold is None else x(threshold),
        items=sum(every),
    )


def span_of(position: int) -> str:
    """Return the scores that a bar holds."""
    return f"{position * 100 // COARSE} to {(position + 1) * 100 // COARSE} %"


def _bars(x: Scale, y: Scale, right: Sequence[int], wrong: Sequence[int], unknown: Sequence[int]) -> list[Bar]:
    bars = []
    for position in range(COARSE):
        # What is wrong stands at the bottom, where even a little of it is seen and compared.
        base = y(0)
        parts = (("fail", "wrong", wrong), ("pass", "right", right), ("quiet", "not known yet", unknown))
        for fill, word, counts in parts:
            count = counts[position]
            if not count:
                continue
            height = max(LEAST_HEIGHT, y(0) - y(count))
            base = round(base - height, 2)
            left, width = x(position / COARSE) + GAP / 2, x(1 / COARSE) - GAP
            bars.append(Bar(left, base, width, round(height, 2), fill, f"{span_of(position)}: {count} {word}"))
    return bars
