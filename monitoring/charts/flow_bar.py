"""One bar that splits all items of a window. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.flow import Flow

WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the bar. `x` and `width` are in thousandths of the bar."""

    key: str
    title: str
    note: str
    fill: str
    icon: str
    count: int
    share: float
    x: float
    width: float


PARTS = (
    ("model_passed", "Model passed", "good, by the model alone", "model-passed", "check"),
    ("model_rejected", "Model rejected", "a defect, by the model alone", "model-rejected", "x"),
    ("people", "People decided", "by an inspector", "people", "user-round"),
    ("waiting", "Waiting for people", "in the queue", "waiting", "hourglass"),
    ("held", "Held", "nobody decided in time", "held", "pause"),
)


def segments(flow: Flow) -> tuple[Segment, ...]:
    """Return the parts in a fixed order; parts of nothing have no width and stay in the legend."""
    total, x, drawn = flow.total, 0.0, []
    for key, title, note, fill, icon in PARTS:
        count = getattr(flow, key)
        share = count / total if total else 0.0
        drawn.append(Segment(key, title, note, fill, icon, count, share, round(x, 2), round(share * WIDTH, 2)))
        x += share * WIDTH
    return tuple(drawn)
