"""Labels against the predictions that routed their items, grouped by the database into cells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import Floor

from gateway.compiled import Rows, moment, number
from gateway.models import Role
from monitoring.cells import FINE
from monitoring.quarters import Span
from monitoring.selectors.flag import flag
from policies.decide import Reason, Route
from policies.models import Line
from policies.modes import Mode
from review.models import Label, LabelSource

# Modes in which a person sees every item, and blind.
EVERYTHING_BLIND = (Reason.HUMAN_ONLY, Reason.SHADOW)
MODEL_MAY_DECIDE = (Mode.PARTIAL, Mode.FULL)
# As long as an hour's items are fewer than the labels since.
SHORT = timedelta(hours=1)


def _cells(**which: Any) -> Rows:
    def standing() -> Any:
        of_span = {"item__received_at__gte": moment("begin"), "item__received_at__lt": moment("end")}
        found = Label.standing.filter(
            source=LabelSource.JUDGEMENT, item__predictions__role=Role.CHAMPION, **which, **of_span
        ).exclude(answer="")  # a label that was withdrawn says nothing
        told = found.order_by().annotate(
            said=F("item__predictions__answer"),
            bin=Floor(F("item__predictions__score") * float(FINE)),
            version=F("item__predictions__model_version_id"),
            random=flag(Q(in_audit=True) | Q(item__reason__in=EVERYTHING_BLIND)),
            automated=flag(Q(item__route=Route.AUTOMATE)),
            may_decide=flag(Q(item__policy__mode__in=MODEL_MAY_DECIDE)),
        )
        alike = ("answer", "said", "bin", "version", "blind", "seen", "random", "in_audit", "automated", "may_decide")
        return told.values_list(*alike).annotate(count=Count("pk"))

    return Rows(standing)


# In a long span labels come first, from its beginning on, as no label is older than its item. In a short one, which may be of
# long ago, items come first: their labels may have come at any time since.
_cells_by_label = _cells(line=number("line"), created_at__gte=moment("begin"))
_cells_by_item = _cells(item__line=number("line"))


def cells_in(line: Line, span: Span) -> list[tuple[Any, ...]]:
    """Return the standing labels of the span's items as fields of `Cell`. A corrected label counts once."""
    rows = _cells_by_item if span[1] - span[0] <= SHORT else _cells_by_label
    return [
        (answer, said, int(position), version, bool(blind), bool(seen), *map(bool, which), count)
        for answer, said, position, version, blind, seen, *which, count in rows.all(line=line.pk, begin=span[0], end=span[1])
    ]
