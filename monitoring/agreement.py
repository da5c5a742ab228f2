"""How often people and model say the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.cells import Cell, total
from monitoring.intervals import Share, share


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """Agreement on one class, from both sides."""

    key: str
    # Of the items that the model called this, the share that people called the same.
    of_said: Share
    # Of the items that people called this, the share that the model called the same.
    of_truth: Share


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of people with one model version."""

    overall: Share
    classes: tuple[ClassAgreement, ...]


def agreement(cells: Sequence[Cell], classes: Sequence[str]) -> Agreement:
    """Return the agreement in the cells, overall and for each of `classes`."""
    return Agreement(_share_right(cells), tuple(_of_class(cells, key) for key in classes))


def blind_cells(cells: Sequence[Cell], version: int | None) -> list[Cell]:
    """Return what may judge the version: labels given without seeing it, of items chosen without looking at its score."""
    return [cell for cell in cells if cell.version == version and cell.trusted]


def seen_cells(cells: Sequence[Cell], version: int | None) -> list[Cell]:
    """Return labels given after seeing the version's prediction: they show how people go along with it, not how good it is."""
    return [cell for cell in cells if cell.version == version and cell.seen]


def _of_class(cells: Sequence[Cell], key: str) -> ClassAgreement:
    return ClassAgreement(
        key,
        _share_right([cell for cell in cells if cell.said == key]),
        _share_right([cell for cell in cells if cell.truth == key]),
    )


def _share_right(cells: Sequence[Cell]) -> Share:
    return share(total(cell for cell in cells if cell.right), total(cells))
