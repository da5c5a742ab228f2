"""Statements that are the same with every item, compiled once: building them anew costs several times what running them does.

The columns and their conversions still come from the models; only the work of putting them into SQL is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property, lru_cache, partial
from json import JSONEncoder
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from django.db import connection, models
from django.db.models.base import ModelState

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
        model, _, _, names, converters = self._compiled
        return [model.from_db(connection.alias, names, _converted(row, converters)) for row in self._rows(values)]

    def column(self, *values: Any) -> list[Any]:
        """Return the first column of the rows for these values: where no object is wanted, none is made."""
        converters = [one for one in self._compiled[-1] if one[0] == 0]
        return [_converted(row[:1], converters)[0] for row in self._rows(values)]

    def _rows(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        _, sql, template, _, _ = self._compiled
        given = dict(zip(self._markers, values, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [given.get(one, one) if isinstance(one, str | int) else one for one in template])
            return cast(list[Sequence[Any]], cursor.fetchall())

    @cached_property
    def _compiled(self) -> tuple[type[M], str, Sequence[Any], list[str], list[tuple[int, list[Any], Any]]]:
        queryset = self._queryset(*self._markers)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, template = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select or []]
        found = compiler.get_converters(columns)
        converters = [(place, list(convert), expression) for place, (convert, expression) in found.items()]
        return queryset.model, sql, template, [column.target.attname for column in columns], converters


class New(Generic[M]):
    """Makes rows that were never saved, without the signals and the look at every field that a model's constructor costs.

    Nobody listens to signals here. Related rows are given as such; all other values are already what their fields hold.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def __call__(self, **values: Any) -> M:
        """Return a row with these values, and the defaults for the rest."""
        plain, made, relations = self._compiled
        one = self._model.__new__(self._model)
        one._state = ModelState()
        columns = one.__dict__
        columns |= plain
        for name, make in made:
            if name not in values:
                columns[name] = make()
        for name in relations & values.keys():
            related = values.pop(name)
            one._state.fields_cache[name] = related
            columns[f"{name}_id"] = None if related is None else related.pk
        columns |= values
        return one

    @cached_property
    def _compiled(self) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]], frozenset[str]]:
        fields = self._model._meta.local_concrete_fields
        calls = [(field.attname, field.default) for field in fields if field.has_default() and callable(field.default)]
        plain = {field.attname: field.get_default() for field in fields} | dict.fromkeys(name for name, _ in calls)
        relations = frozenset(field.name for field in fields if isinstance(field, models.ForeignKey))
        return plain, calls, relations


class Insert(Generic[M]):
    """Insertion of rows with all their columns but an automatic key, which the objects don't get."""

    def __init__(self, model: type[M]) -> None:
        self._model, self._place = model, ""

    def all(self, objects: Iterable[M]) -> None:
        """Insert the objects, in their order, in one statement."""
        sql, values_of, conversions = self._compiled
        rows, alias = [], connection.alias
        for one in objects:
            row = list(values_of(one))
            for place, convert in conversions:
                row[place] = convert(row[place])
            rows.append(row)
            one._state.adding, one._state.db = False, alias
        if not rows:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.executemany(sql.format(self._place), rows)
            else:
                # A server is asked once: it would read, plan and answer for each row what it can for all of them.
                cursor.execute(sql.format(", ".join([self._place] * len(rows))), [value for row in rows for value in row])

    @cached_property
    def _compiled(self) -> tuple[str, Callable[[M], tuple[Any, ...]], list[tuple[int, Callable[[Any], Any]]]]:
        meta = self._model._meta
        fields = [field for field in meta.local_concrete_fields if not isinstance(field, models.AutoField)]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in fields)
        self._place = f"({', '.join('%s' for _ in fields)})"
        conversions = [(place, _conversion(field)) for place, field in enumerate(fields) if not _is_plain(field)]
        sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {{}}"  # noqa: S608 (names of our own)
        return sql, attrgetter(*(field.attname for field in fields)), conversions


def _is_plain(field: models.Field[Any, Any]) -> bool:
    return isinstance(_target(field), (*PLAIN, models.AutoField))


def _target(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    return field.target_field if isinstance(field, models.ForeignKey) else field


def _conversion(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """Return what makes of a field's value what the driver takes."""
    target = _target(field)
    if isinstance(target, (models.UUIDField, models.DateTimeField)):
        # The same moment and the same id stand in every row of an item.
        return _remembered(models.UUIDField if isinstance(target, models.UUIDField) else models.DateTimeField)

    if isinstance(target, models.JSONField):
        return partial(_json, connection.ops.adapt_json_value, target.encoder)
    return partial(_saved, field)


def _json(adapt: Callable[..., Any], encoder: type[JSONEncoder] | None, value: Any) -> Any:
    return None if value is None else adapt(value, encoder)


def _saved(field: models.Field[Any, Any], value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


@cache
def _remembered(kind: type[models.Field[Any, Any]]) -> Callable[[Any], Any]:
    field = kind()
    return lru_cache(512)(lambda value: field.get_db_prep_save(value, connection))


def _converted(row: Sequence[Any], converters: list[tuple[int, list[Any], Any]]) -> Sequence[Any]:
    values = list(row)
    for place, convert, expression in converters:
        for one in convert:
            values[place] = one(values[place], expression, connection)
    return values
