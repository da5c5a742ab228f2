"""Rows that are made and written many at a time: the road's own, where `compiled` has the statements for one.

The columns and their conversions come from the models; only the work of putting them into SQL is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

from gateway.conversions import Convert, conversion
from gateway.statements import Statement

M = TypeVar("M", bound=models.Model)


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
        self._model = model
        self._statements: dict[str, Statement] = {}

    def all(self, objects: Iterable[M]) -> None:
        """Insert the objects, in their order, in one statement."""
        sql, place, values_of, conversions = self._compiled
        rows, alias = [], connection.alias
        for one in objects:
            row = list(values_of(one))
            for index, convert in conversions:
                row[index] = convert(row[index])
            rows.append(row)
            one._state.adding, one._state.db = False, alias
        if not rows:
            return
        if connection.vendor == "sqlite":
            self._statement(sql + place).each(rows)
        else:
            # A server is asked once: it would read and answer for each row what it can for all of them.
            statement = self._statement(sql + ", ".join([place] * len(rows)))
            statement.count([value for row in rows for value in row])

    def _statement(self, sql: str) -> Statement:
        return self._statements.get(sql) or self._statements.setdefault(sql, Statement(sql, inserts=True))

    @cached_property
    def _compiled(self) -> tuple[str, str, Callable[[M], tuple[Any, ...]], list[tuple[int, Convert]]]:
        meta = self._model._meta
        fields = [field for field in meta.local_concrete_fields if not isinstance(field, models.AutoField)]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in fields)
        place = f"({', '.join('%s' for _ in fields)})"
        every = [(place, conversion(field)) for place, field in enumerate(fields)]
        conversions = [(place, convert) for place, convert in every if convert is not None]
        sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES "  # noqa: S608 (names of our own)
        return sql, place, attrgetter(*(field.attname for field in fields)), conversions
