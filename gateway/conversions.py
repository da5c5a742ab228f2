"""Between a field's value and what the driver takes and gives, as the models say it, looked up once for every field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from json import JSONEncoder
from typing import Any

from django.db import connection, models

Convert = Callable[[Any], Any]
# Place in the row, functions, and the expression that they want.
Converters = Sequence[tuple[int, Sequence[Any], Any]]
# Fields whose Python value is what the driver takes.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField, models.AutoField)


def conversion(field: models.Field[Any, Any]) -> Convert | None:
    """Return what makes of a field's value what the driver takes; None where it takes it as it is."""
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, PLAIN):
        return None
    # The same moment and the same id stand in every row of an item.
    if isinstance(target, models.UUIDField):
        return _remembered(models.UUIDField)
    if isinstance(target, models.DateTimeField):
        return _remembered(models.DateTimeField)
    if isinstance(target, models.JSONField):
        return partial(_json, connection.ops.adapt_json_value, target.encoder)
    return partial(_saved, field)


def converted(row: Sequence[Any], converters: Converters) -> Sequence[Any]:
    """Return a row as its fields have it."""
    if not converters:
        return row
    values = list(row)
    for place, convert, expression in converters:
        for one in convert:
            values[place] = one(values[place], expression, connection)
    return values


@cache
def _remembered(kind: Callable[[], models.Field[Any, Any]]) -> Convert:
    return lru_cache(512)(partial(_saved, kind()))


def _json(adapt: Callable[..., Any], encoder: type[JSONEncoder] | None, value: Any) -> Any:
    return None if value is None else adapt(value, encoder)


def _saved(field: models.Field[Any, Any], value: Any) -> Any:
    return field.get_db_prep_save(value, connection)
