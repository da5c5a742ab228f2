"""Statements of people's work that are compiled once: what `prepared` does for the road, with joins, updates and new keys.

A statement is written as any query, with a `Slot` where a value goes that is known only when it runs. The columns, conditions
and conversions come from the models; what is kept is only the work of putting them into SQL, most of what a small query costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery

M = TypeVar("M", bound=models.Model)
# Fields whose Python value is what the driver takes.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField, models.AutoField)


class Slot(Expression):
    """Where a value goes, by its name; it is converted as a value of the field."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return a place for the value, and itself instead of the value."""
        return "%s", [self]


def number(name: str) -> Slot:
    """Return a slot for a number, such as the key of a row."""
    return Slot(name, models.BigIntegerField())


def text(name: str) -> Slot:
    """Return a slot for text."""
    return Slot(name, models.TextField())


def moment(name: str) -> Slot:
    """Return a slot for a time."""
    return Slot(name, models.DateTimeField())


def uuid(name: str) -> Slot:
    """Return a slot for the key of an item."""
    return Slot(name, models.UUIDField())


class _Compiled:
    """A query, compiled when it is first asked: it may be one that locks, which only a transaction may."""

    def __init__(self, queryset: Callable[[], models.QuerySet[Any, Any]]) -> None:
        self._queryset = queryset

    def _rows(self, values: dict[str, Any]) -> list[Any]:
        compiled = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, _bound(compiled.params, values))
            rows = cursor.fetchall()
        return [_converted(row, compiled.converters) for row in rows]

    @cached_property
    def _compiled(self) -> _Query:
        return _Query(self._queryset().query)


class Rows(_Compiled):
    """A query for tuples."""

    def all(self, **values: Any) -> list[Any]:
        """Return the rows for these values of the slots."""
        return self._rows(values)

    def first(self, **values: Any) -> Any:
        """Return the first row for these values, or None."""
        rows = self._rows(values)
        return rows[0] if rows else None


class Select(_Compiled, Generic[M]):
    """A query for objects, with those that it joins by `select_related`."""

    def __init__(self, queryset: Callable[[], models.QuerySet[M]]) -> None:
        super().__init__(queryset)

    def all(self, **values: Any) -> list[M]:
        """Return the objects for these values of the slots."""
        made = self._made
        return [made(row) for row in self._rows(values)]

    def first(self, **values: Any) -> M | None:
        """Return the first object for these values, or None."""
        found = self.all(**values)
        return found[0] if found else None

    @cached_property
    def _made(self) -> Callable[[Sequence[Any]], M]:
        compiler = self._compiled.compiler
        info, alias = compiler.klass_info, connection.alias
        model, places = info["model"], info["select_fields"]
        start, end = places[0], places[-1] + 1
        names = [column.target.attname for column, _, _ in compiler.select[start:end]]
        populators = get_related_populators(info, compiler.select, alias)  # type: ignore[call-arg]

        def made(row: Sequence[Any]) -> M:
            found: M = model.from_db(alias, names, row[start:end])
            for populator in populators:
                populator.populate(row, found)
            return found

        return made


class Update:
    """An update of what `queryset` finds; the new values may be slots."""

    def __init__(self, queryset: Callable[[], models.QuerySet[Any, Any]], **values: Any) -> None:
        self._queryset, self._values = queryset, values

    def run(self, **values: Any) -> int:
        """Return how many rows were changed."""
        sql, params = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, _bound(params, values))
            return int(cursor.rowcount)

    @cached_property
    def _compiled(self) -> tuple[str, Sequence[Any]]:
        query: Any = self._queryset().query.chain(klass=UpdateQuery)
        query.add_update_values(self._values)
        found: tuple[str, Sequence[Any]] = query.get_compiler(connection=connection).as_sql()
        return found


class UpdateReturning(Update):
    """An update that returns a column of the rows as they are afterwards."""

    def __init__(self, column: str, queryset: Callable[[], models.QuerySet[Any, Any]], **values: Any) -> None:
        super().__init__(queryset, **values)
        self._column = column

    def all(self, **values: Any) -> list[Any]:
        """Return the column of the rows that were changed."""
        sql, params = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} RETURNING {connection.ops.quote_name(self._column)}", _bound(params, values))
            return [row[0] for row in cursor.fetchall()]


class Insert(Generic[M]):
    """Insertion of rows, whose objects get their keys."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._sql: dict[int, str] = {}

    def one(self, row: M) -> M:
        """Insert one row and return it."""
        return self.all([row])[0]

    def all(self, rows: Sequence[M]) -> Sequence[M]:
        """Insert the rows, in their order, in one statement, and return them."""
        if not rows:
            return rows
        sql = self._sql.get(len(rows)) or self._statement(len(rows))
        values = [_value(prepare, getattr(row, name)) for row in rows for name, prepare in self._fields]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            keys = cursor.fetchall()
        for row, (key,) in zip(rows, keys, strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias
        return rows

    def _statement(self, count: int) -> str:
        meta, quote = self._model._meta, connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self._concrete)
        places = ", ".join(["(" + ", ".join(["%s"] * len(self._concrete)) + ")"] * count)
        key = quote(str(meta.pk.column))
        sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {places} RETURNING {key}"  # noqa: S608 (names of our own)
        return self._sql.setdefault(count, sql)

    @cached_property
    def _concrete(self) -> list[models.Field[Any, Any]]:
        return [field for field in self._model._meta.local_concrete_fields if not isinstance(field, models.AutoField)]

    @cached_property
    def _fields(self) -> list[tuple[str, Callable[..., Any] | None]]:
        return [(field.attname, None if _is_plain(field) else field.get_db_prep_save) for field in self._concrete]


class _Query:
    """A query as SQL, with what becomes of its columns."""

    def __init__(self, query: Any) -> None:
        self.compiler = query.get_compiler(connection=connection)
        self.sql, self.params = self.compiler.as_sql()
        found = self.compiler.get_converters([column for column, _, _ in self.compiler.select])
        self.converters = [(place, convert, expression) for place, (convert, expression) in found.items()]


def _bound(params: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    return [
        one.output_field.get_db_prep_value(values[one.name], connection) if isinstance(one, Slot) else one for one in params
    ]


def _converted(row: Sequence[Any], converters: list[tuple[int, list[Any], Any]]) -> Sequence[Any]:
    if not converters:
        return row
    values = list(row)
    for place, convert, expression in converters:
        for one in convert:
            values[place] = one(values[place], expression, connection)
    return values


def _is_plain(field: models.Field[Any, Any]) -> bool:
    return isinstance(field.target_field if isinstance(field, models.ForeignKey) else field, PLAIN)


def _value(prepare: Callable[..., Any] | None, value: Any) -> Any:
    return value if prepare is None else prepare(value, connection)
