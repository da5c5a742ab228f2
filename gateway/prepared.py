"""Statements that are the same with every item, compiled once: building them anew costs several times what running them does.

The columns and their conversions still come from the models; only the work of putting them into SQL is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)
# Fields whose Python value is what the driver takes.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField, models.ForeignKey)


class Select(Generic[M]):
    """A query for one row. `queryset` is made with a marker for each value, in the order in which `first` takes them."""

    def __init__(self, queryset: Callable[..., models.QuerySet[M]], *markers: str | int) -> None:
        self._queryset, self._markers = queryset, markers

    def first(self, *values: Any) -> M | None:
        """Return the first row for these values, or None."""
        rows = self.all(*values)
        return rows[0] if rows else None

    def all(self, *values: Any) -> list[M]:
        """Return the rows for these values."""
        model, sql, template, names, converters = self._compiled
        given = dict(zip(self._markers, values, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [given.get(one, one) if isinstance(one, str | int) else one for one in template])
            rows = cursor.fetchall()
        return [model.from_db(connection.alias, names, _converted(row, converters)) for row in rows]

    @cached_property
    def _compiled(self) -> tuple[type[M], str, Sequence[Any], list[str], list[tuple[int, list[Any], Any]]]:
        queryset = self._queryset(*self._markers)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, template = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select or []]
        found = compiler.get_converters(columns)
        converters = [(place, list(convert), expression) for place, (convert, expression) in found.items()]
        return queryset.model, sql, template, [column.target.attname for column in columns], converters


class Insert(Generic[M]):
    """Insertion of rows with all their columns but an automatic key, which the objects don't get."""

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def all(self, objects: Iterable[M]) -> None:
        """Insert the objects, in their order, in one statement."""
        sql, fields = self._compiled
        rows = []
        for one in objects:
            rows.append([_value(prepare, getattr(one, name)) for name, prepare in fields])
            one._state.adding, one._state.db = False, connection.alias
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(sql, rows)

    @cached_property
    def _compiled(self) -> tuple[str, list[tuple[str, Callable[..., Any] | None]]]:
        meta = self._model._meta
        fields = [field for field in meta.local_concrete_fields if not isinstance(field, models.AutoField)]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in fields)
        places = ", ".join("%s" for _ in fields)
        prepared = [(field.attname, None if _is_plain(field) else field.get_db_prep_save) for field in fields]
        return f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places})", prepared  # noqa: S608 (names of our own)


def _is_plain(field: models.Field[Any, Any]) -> bool:
    return isinstance(field.target_field if isinstance(field, models.ForeignKey) else field, (*PLAIN, models.AutoField))


def _value(prepare: Callable[..., Any] | None, value: Any) -> Any:
    return value if prepare is None else prepare(value, connection)


def _converted(row: Sequence[Any], converters: list[tuple[int, list[Any], Any]]) -> Sequence[Any]:
    values = list(row)
    for place, convert, expression in converters:
        for one in convert:
            values[place] = one(values[place], expression, connection)
    return values
