"""A model's evaluation as its page shows it: candidate beside champion, on the same examples. Pure.

The shape of the metrics is that of `inference.evaluation.metrics`; what is missing in them is shown as not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.charts.reliability import Reliability, reliability

MEASURES = (
    ("precision", "Precision", "Of what it called this, the share that is."),
    ("recall", "Recall", "Of what is this, the share that it found."),
    ("f1", "F1", "Precision and recall in one figure."),
    ("average_precision", "Average precision", "How well the score sorts this from the rest."),
)
OVERALL = (
    ("accuracy", "Right", "Share of the examples with the right class."),
    ("defect_auroc", "AUROC of any defect", "How often a defective example scores above a good one."),
    ("defect_average_precision", "Average precision of any defect", "How well the score sorts defects from good ones."),
)
# Shades of the confusion table.
SHADES = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval and its n; without a value nothing can be said."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of both models."""

    title: str
    note: str
    candidate: Estimate
    champion: Estimate | None

    @property
    def difference(self) -> float | None:
        """Candidate less champion; None where one of them says nothing."""
        if self.champion is None or self.candidate.value is None or self.champion.value is None:
            return None
        return self.candidate.value - self.champion.value


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One class with its measures."""

    name: str
    support: int
    measures: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How many of the row's class were called the column's class. `shade` goes with the share of the row, 0 to SHADES."""

    count: int
    shade: int
    right: bool


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """The examples of one true class."""

    name: str
    total: int
    cells: tuple[ConfusionCell, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the page says about how good the model is."""

    n: int
    champion_name: str
    test_digest: str
    overall: tuple[Compared, ...]
    classes: tuple[ClassReport, ...]
    columns: tuple[str, ...]
    confusion: tuple[ConfusionRow, ...]
    reliability: Reliability

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return not self.n


def report_of(evaluation: Mapping[str, Any], metrics: Mapping[str, Any], names: Mapping[str, str]) -> Report:
    """Return the report of a training run's evaluation, or of the model's own metrics where it came without a run."""
    candidate = evaluation.get("candidate") or metrics
    champion = evaluation.get("champion") or None
    keys = [str(key) for key in candidate.get("classes", [])]
    return Report(
        n=int(candidate.get("n", 0)),
        champion_name=str(evaluation.get("champion_name") or "") if champion else "",
        test_digest=str(evaluation.get("test_digest") or ""),
        overall=tuple(
            Compared(title, note, estimate(candidate.get(key)), estimate(champion.get(key)) if champion else None)
            for key, title, note in OVERALL
        ),
        classes=tuple(_class(key, names.get(key, key), candidate, champion) for key in keys),
        columns=tuple(names.get(key, key) for key in keys),
        confusion=_confusion(candidate.get("confusion", []), [names.get(key, key) for key in keys]),
        reliability=reliability(candidate.get("reliability", [])),
    )


def estimate(found: Any) -> Estimate:
    """Return an estimate from its JSON; one that says nothing where there is none."""
    found = found or {}
    return Estimate(found.get("value"), found.get("low"), found.get("high"), int(found.get("n") or 0))


def facts_of(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the card's single facts, in its order; what has an inside of its own is for programs, not for this page."""
    return [
        (str(key).replace("_", " ").capitalize(), f"{value:g}" if isinstance(value, float) else str(value))
        for key, value in card.items()
        if isinstance(value, str | int | float) and value != ""
    ]


def _class(key: str, name: str, candidate: Mapping[str, Any], champion: Mapping[str, Any] | None) -> ClassReport:
    mine = candidate.get("per_class", {}).get(key, {})
    other = champion.get("per_class", {}).get(key, {}) if champion else None
    return ClassReport(
        name,
        int(mine.get("support", 0)),
        tuple(
            Compared(title, note, estimate(mine.get(measure)), None if other is None else estimate(other.get(measure)))
            for measure, title, note in MEASURES
        ),
    )


def _confusion(counts: list[list[int]], names: list[str]) -> tuple[ConfusionRow, ...]:
    rows = []
    for position, (name, row) in enumerate(zip(names, counts, strict=False)):
        total = sum(row)
        cells = tuple(
            ConfusionCell(count, -(-count * SHADES // total) if total else 0, position == column)
            for column, count in enumerate(row)
        )
        rows.append(ConfusionRow(name, total, cells))
    return tuple(rows)
