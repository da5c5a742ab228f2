"""The control room's figures as its template takes them: drawings, rows and texts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.agreement import Agreement
from monitoring.cells import FINE
from monitoring.charts.flow_bar import segments
from monitoring.charts.histogram import Histogram, histogram
from monitoring.charts.trend import trend
from monitoring.charts.whisker import Whisker, common_top, whisker
from monitoring.errors_found import AuditedErrors
from monitoring.forms import PolicyForm, ThresholdRow
from monitoring.intervals import Share
from monitoring.promise_line import PromiseLine, promise_line
from monitoring.promise_page import limit_rows
from monitoring.selectors.control_room import ControlRoom, alive
from monitoring.selectors.truth import Score, Scoreboard
from monitoring.what_if import curve
from monitoring.windows import WINDOWS
from policies.models import LabelClass, PolicyVersion


@dataclass(frozen=True, slots=True)
class ThresholdPanel:
    """One class on the sliders."""

    label: LabelClass
    row: ThresholdRow
    chart: Histogram
    # From where on the class is certified, and whether that is what is in force.
    certified: float | None = None
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its drawing on an axis that it shares with its neighbours."""

    title: str
    # What the share is of, in words for people, and what its n counts.
    note: str
    of: str
    share: Share
    drawing: Whisker


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Agreement on one class."""

    label: LabelClass
    said: Share
    truth: Share


def room_context(room: ControlRoom, form: PolicyForm) -> dict[str, Any]:
    """Return the template's context."""
    panels = [_panel(room, form.rows[label.key], place) for place, label in enumerate(room.classes)]
    return {
        "room": room,
        "line": room.line,
        "window": room.window,
        "windows": WINDOWS,
        "form": form,
        "panels": panels,
        "what_if": what_if(room),
        "queue": room.queue,
        "flow": room.flow,
        "segments": segments(room.flow),
        "trend": trend([(point.start, point.automated) for point in room.trend], hours=room.window.key == "24h"),
        "blind_rows": agreement_rows(room.blind, room.classes),
        "error_rates": error_rates(room.errors),
        "error_axis": _error_axis(room.errors),
        "scores_shown": scores_shown(room.scoreboard),
        "run": room.run,
        "promise_line": _promise_line(room),
        "conveyor": room.conveyor,
        "conveyor_alive": room.conveyor is not None and alive(room.conveyor, room.now),
        "fail_safes": [(PolicyVersion.HOLD, "Hold: it waits, nothing passes")]
        + [(label.key, f"Reject as {label.name}") for label in room.classes if not label.is_negative],
    }


def _panel(room: ControlRoom, row: ThresholdRow, place: int) -> ThresholdPanel:
    label = room.classes[place]
    at, certified = room.policy.thresholds.get(label.key), room.promise.thresholds.get(label.key)
    return ThresholdPanel(label, row, histogram(room.scores[place], at), certified, at is not None and certified == at)


def _promise_line(room: ControlRoom) -> PromiseLine:
    found, delta = room.promise, room.line.delta
    rows = limit_rows(room.classes, found.limits, found.certification, room.policy, found.pace, delta)
    return promise_line(rows, found.certification, room.policy, model=room.champion is not None, delta=delta)


def what_if(room: ControlRoom) -> dict[str, Any]:
    """Return what the sliders read: counts from each step of the score upwards."""
    return {
        "steps": FINE,
        "items": room.present.items,
        "classes": curve(room.scores),
        "thresholds": {key: value for key, value in room.policy.thresholds.items() if key in room.names},
    }


def agreement_rows(found: Agreement, classes: list[LabelClass]) -> list[AgreementRow]:
    """Return a row a class."""
    return [AgreementRow(label, entry.of_said, entry.of_truth) for label, entry in zip(classes, found.classes, strict=True)]


def error_rates(errors: AuditedErrors) -> list[Rate]:
    """Return the rates that matter most, each with the denominator it is of, drawn on one axis."""
    top = _error_axis(errors)
    return [
        Rate(title, note, of, share, whisker(share, top))
        for title, note, of, share in (
            ("Escape rate", "of what the model passed, the defective", "audited items that the model passed", errors.escapes),
            ("Overkill rate", "of the good items, those it rejected", "audited good items", errors.overkill),
        )
    ]


def scores_shown(scoreboard: Scoreboard | None) -> list[Score]:
    """Return the rows of the demo's scoreboard: each inspector only where there are several."""
    if scoreboard is None:
        return []
    each = list(scoreboard.reviewers) if len(scoreboard.reviewers) > 1 else []
    return [scoreboard.model, scoreboard.people, *each]


def _error_axis(errors: AuditedErrors) -> float:
    return common_top([errors.escapes, errors.overkill])
