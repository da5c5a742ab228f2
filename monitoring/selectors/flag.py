"""A condition as a column."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, Value, When


def flag(condition: Q) -> Case:
    """Return 1 where the condition holds and 0 elsewhere: a number, which every database groups by and hands over as it is."""
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())
