"""Labels against the predictions that routed their items, grouped by the database into cells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import Floor

from gateway.models import Role
from monitoring.cells import FINE, Cell
from monitoring.selectors.flag import flag
from policies.decide import Reason, Route
from policies.models import Line
from policies.modes import Mode
from review.models import Label, LabelSource

# Modes in which a person sees every item, and blind.
EVERYTHING_BLIND = (Reason.HUMAN_ONLY, Reason.SHADOW)
MODEL_MAY_DECIDE = (Mode.PARTIAL, Mode.FULL)


def cells(line: Line, since: datetime, until: datetime | None = None) -> list[Cell]:
    """Return the standing labels of the items that arrived since then, and before `until`, with one query.

    A corrected label counts once.
    """
    before = Q() if until is None else Q(item__received_at__lt=until)
    rows = (
        Label.standing.filter(
            before,
            line=line,
            source=LabelSource.JUDGEMENT,
            # No label is older than its item: the index by time does not read those of long ago.
            created_at__gte=since,
            item__received_at__gte=since,
            item__predictions__role=Role.CHAMPION,
        )
        # A label that was withdrawn says nothing.
        .exclude(answer="")
        .order_by()
        .annotate(
            said=F("item__predictions__answer"),
            bin=Floor(F("item__predictions__score") * float(FINE)),
            version=F("item__predictions__model_version_id"),
            random=flag(Q(in_audit=True) | Q(item__reason__in=EVERYTHING_BLIND)),
            automated=flag(Q(item__route=Route.AUTOMATE)),
            may_decide=flag(Q(item__policy__mode__in=MODEL_MAY_DECIDE)),
        )
        .values("answer", "said", "bin", "version", "blind", "seen", "in_audit", "random", "automated", "may_decide")
        .annotate(count=Count("pk"))
    )
    return [_cell(dict(row)) for row in rows]


def _cell(row: dict[str, Any]) -> Cell:
    return Cell(
        truth=row["answer"],
        said=row["said"],
        bin=int(row["bin"]),
        version=row["version"],
        blind=row["blind"],
        seen=row["seen"],
        random=bool(row["random"]),
        in_audit=row["in_audit"],
        automated=bool(row["automated"]),
        model_may_decide=bool(row["may_decide"]),
        count=row["count"],
    )
