"""Stating what a line promises: the one home of its limits."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from django.db import transaction

from policies.errors import InvalidPolicy
from policies.locks import hold_line
from policies.models import LabelClass, Limit, LimitForm, Line

# {(class key, form): epsilon}
Promise = Mapping[tuple[str, str], float]


@transaction.atomic
def state_limits(line: Line, limits: Promise, *, delta: float | None = None) -> list[Limit]:
    """Replace the line's limits; they hold together with confidence 1 - delta. Raises InvalidPolicy for what says nothing."""
    hold_line(line)
    classes = check_limits(line, limits, delta)
    if delta is not None:
        Line.objects.filter(pk=line.pk).update(delta=delta)
        line.delta = delta
    Limit.objects.filter(line=line).delete()
    return Limit.objects.bulk_create(
        Limit(line=line, label_class=classes[key], form=form, epsilon=epsilon) for (key, form), epsilon in limits.items()
    )


def check_limits(line: Line, limits: Promise, delta: float | None = None) -> dict[str, LabelClass]:
    """Return the line's classes by key. Raises InvalidPolicy for limits that say nothing about them."""
    classes = {entry.key: entry for entry in line.classes.all()}
    for (key, form), epsilon in limits.items():
        if key not in classes or form not in LimitForm.values:
            raise InvalidPolicy(f"There is no limit {form} of {key} on this line.")
        if not isfinite(epsilon) or not 0 < epsilon < 1:
            raise InvalidPolicy(f"A limit is above 0 and below 100 %, not {epsilon:g}.")
    if delta is not None and (not isfinite(delta) or not 0 < delta < 1):
        raise InvalidPolicy(f"The confidence is between 0 and 100 %, not {1 - delta:g}.")
    return classes
