"""What a line promised at an earlier moment, read from the events that its promises left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway.models import Event
from monitoring.selectors.audited_decisions import limits_of
from policies.models import LabelClass, Limit, Line


def limits_at(line: Line, at: datetime) -> list[Limit]:
    """Return the limits as they were stated just before `at`, with their classes, in the order of `limits_of`; two queries.

    Those of an earlier moment are unsaved rows.
    """
    # Such an event has no item, and those that have none are few.
    about_line = Event.objects.filter(line=line, item=None, kind="limits.stated")
    stated = list(about_line.order_by("id").values_list("at", "data"))
    later = [data for when, data in stated if when >= at]
    # What a later statement replaced is what held until then.
    return _restored(line, later[0]["from"]["limits"]) if later else limits_of(line)


def _restored(line: Line, limits: dict[str, float]) -> list[Limit]:
    classes: dict[str, LabelClass] = {entry.key: entry for entry in line.classes.all()}
    named: list[tuple[Any, ...]] = [(*key.rsplit(".", 1), epsilon) for key, epsilon in limits.items()]
    found = [Limit(line=line, label_class=classes[key], form=form, epsilon=epsilon) for key, form, epsilon in named]
    return sorted(found, key=lambda limit: (limit.label_class.position, limit.form))
