"""What the audit sample says about the decisions that the model took. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.cells import Cell, total
from monitoring.intervals import Share, share


@dataclass(frozen=True, slots=True)
class AuditedErrors:
    """Error rates of the line's automation, from blind audit labels alone."""

    # Of the audited items that the model passed, the share that is defective.
    escapes: Share
    # Of the audited items that are good, the share that the model rejected. Items that went to people count as not rejected.
    overkill: Share
    # Of the audited items that the model decided, the share that it got right, class for class.
    right: Share


def audited_errors(cells: Sequence[Cell], negative: str) -> AuditedErrors:
    """Return the rates over every audited item that arrived while the model was allowed to decide."""
    audited = [cell for cell in cells if cell.in_audit and cell.blind and cell.model_may_decide]
    alone = [cell for cell in audited if cell.automated]
    passed = [cell for cell in alone if cell.said == negative]
    good = [cell for cell in audited if cell.truth == negative]
    return AuditedErrors(
        escapes=share(total(cell for cell in passed if cell.truth != negative), total(passed)),
        overkill=share(total(cell for cell in good if cell.automated and cell.said != negative), total(good)),
        right=share(total(cell for cell in alone if cell.right), total(alone)),
    )
