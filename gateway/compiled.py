"""Statements that are the same every time, compiled once: building them anew costs several times what running them does.

A statement is written as any query, with a `Slot` where a value goes that is known only when it runs. The columns, conditions
and conversions come from the models; what is kept is only the work of putting them into SQL, most of what a small query costs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.sql import UpdateQuery

from gateway.conversions import conversion, converted
from gateway.statements import PLACE, Statement

M = TypeVar("M", bound=models.Model)
Binding = Callable[[dict[str, Any]], list[Any]]


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


def real(name: str) -> Slot:
    """Return a slot for a number that may have a fraction."""
    return Slot(name, models.FloatField())


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
        return compiled.statement.rows(compiled.bound(values))

    @cached_property
    def _compiled(self) -> _Query:
        return _Query(self._queryset().query)


class Rows(_Compiled):
    """A query for tuples."""

    def all(self, **values: Any) -> list[Any]:
        """Return the rows for these values of the slots."""
        converters = self._compiled.converters
        return [converted(row, converters) for row in self._rows(values)]

    def first(self, **values: Any) -> Any:
        """Return the first row for these values, or None."""
        rows = self.all(**values)
        return rows[0] if rows else None


class Select(_Compiled, Generic[M]):
    """A query for objects, with those that it joins by `select_related`.

    The objects are made without the signals and the look at every field that a model's constructor costs, as `prepared.New`
    makes rows: nobody listens to signals here.
    """

    def __init__(self, queryset: Callable[[], models.QuerySet[M]]) -> None:
        super().__init__(queryset)

    def each(self, **values: Any) -> Iterator[M]:
        """Yield the objects for these values of the slots. All are read, and each is made when it is its turn."""
        converters, made = self._compiled.converters, self._made
        for row in self._rows(values):
            yield made(converted(row, converters))

    def all(self, **values: Any) -> list[M]:
        """Return the objects for these values of the slots."""
        return list(self.each(**values))

    def first(self, **values: Any) -> M | None:
        """Return the first object for these values, or None."""
        return next(self.each(**values), None)

    @cached_property
    def _made(self) -> Callable[[Sequence[Any]], M]:
        compiler = self._compiled.compiler
        return _maker(compiler.klass_info, compiler.select)


class Update:
    """An update of what `queryset` finds; the new values may be slots."""

    def __init__(self, queryset: Callable[[], models.QuerySet[Any, Any]], **values: Any) -> None:
        self._queryset, self._values = queryset, values

    def run(self, **values: Any) -> int:
        """Return how many rows were changed."""
        statement, bound = self._compiled
        return statement.count(bound(values))

    @cached_property
    def _compiled(self) -> tuple[Statement, Binding]:
        return _statement(*self._as_sql())

    def _as_sql(self) -> tuple[str, Sequence[Any]]:
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
        statement, bound = self._compiled
        return [row[0] for row in statement.rows(bound(values))]

    def _as_sql(self) -> tuple[str, Sequence[Any]]:
        sql, params = super()._as_sql()
        return f"{sql} RETURNING {connection.ops.quote_name(self._column)}", params


class _Query:
    """A query as SQL, with what becomes of its columns."""

    def __init__(self, query: Any) -> None:
        self.compiler = query.get_compiler(connection=connection)
        sql, params = self.compiler.as_sql()
        # How much lies before a moment depends on the moment: a plan for any of them reads the whole table.
        by_time = any(isinstance(one, Slot) and isinstance(one.output_field, models.DateTimeField) for one in params)
        self.statement, self.bound = _statement(sql, params, plan_once=not by_time)
        found = self.compiler.get_converters([column for column, _, _ in self.compiler.select])
        self.converters = [(place, convert, expression) for place, (convert, expression) in found.items()]


def _statement(sql: str, params: Sequence[Any], *, plan_once: bool = True) -> tuple[Statement, Binding]:
    """Return the statement, and what makes of the slots' values those of its places."""
    sql, params = _written_in(sql, params)
    return Statement(sql, plan_once=plan_once), _binding(params)


def _written_in(sql: str, params: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Return a statement that holds the words and numbers that are the same every time, and the other values.

    Only so can a plan that is kept for any values use an index of a part of the rows, such as that of the open questions.
    PostgreSQL would not use it; SQLite looks at the values, and plans anew each time for those that it has looked at.
    """
    values, left = iter(params), []

    def place(found: re.Match[str]) -> str:
        value = next(values)
        if not isinstance(value, str | int):
            left.append(value)
            return found[0]
        return _literal(value.value if isinstance(value, Enum) else value).replace("%", "%%")

    return PLACE.sub(place, sql), left


def _literal(value: str | int) -> str:
    """Return the value as it is written into a statement."""
    if connection.vendor == "postgresql":
        database: Any = connection
        return str(database.Database.sql.Literal(value).as_string())
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _binding(params: Sequence[Any]) -> Binding:
    """Return what makes of the slots' values those of the statement's places."""
    places: list[tuple[str | None, Any]] = [
        (one.name, conversion(one.output_field)) if isinstance(one, Slot) else (None, one) for one in params
    ]

    def bound(values: dict[str, Any]) -> list[Any]:
        return [what if name is None else values[name] if what is None else what(values[name]) for name, what in places]

    return bound


def _maker(info: dict[str, Any], select: Sequence[Any]) -> Callable[[Sequence[Any]], Any]:
    """Return what makes of a row the object of a model and those that it joins; None where the row has none."""
    model, alias, places = info["model"], connection.alias, info["select_fields"]
    start, end = places[0], places[-1] + 1
    names = [column.target.attname for column, _, _ in select[start:end]]
    key = start + names.index(model._meta.pk.attname)
    joined = [(one["local_setter"], one["remote_setter"], _maker(one, select)) for one in info.get("related_klass_infos", ())]

    def made(row: Sequence[Any]) -> Any:
        if row[key] is None:
            return None
        one = model.__new__(model)
        one._state = state = ModelState()
        state.adding, state.db = False, alias
        one.__dict__.update(zip(names, row[start:end], strict=True))
        for set_there, set_back, make in joined:
            other = make(row)
            set_there(one, other)
            if other is not None:
                set_back(other, one)
        return one

    return made
