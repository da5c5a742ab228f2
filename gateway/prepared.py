"""Rows that are made and written, one or many at a time, where `compiled` has the statements that look for rows or change them.

The columns and their conversions come from the models; only the work of putting them into SQL is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

from gateway.conversions import Convert, conversion
from gateway.statements import Statement

M = TypeVar("M", bound=models.Model)
# Rows of one statement: each number of rows is a statement of its own, and databases bound the values of one (SQLite 32,766,
# PostgreSQL 65,535).
MOST_ROWS = 64


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
    """Insertion of rows with all their columns; with `keys`, the objects get the keys that the database gives them."""

    def __init__(self, model: type[M], *, keys: bool = False) -> None:
        self._model, self._keys = model, keys
        self._statements: dict[int, Statement] = {}

    def one(self, row: M) -> M:
        """Insert one row and return it."""
        return self.all([row])[0]

    def all(self, rows: Iterable[M]) -> list[M]:
        """Insert the rows, in their order, a statement for up to MOST_ROWS of them, and return them."""
        found, alias = list(rows), connection.alias
        for start in range(0, len(found), MOST_ROWS):
            self._insert(found[start : start + MOST_ROWS])
        for row in found:
            row._state.adding, row._state.db = False, alias
        return found

    def _insert(self, rows: Sequence[M]) -> None:
        # All at once: a server would read and answer for each row, and SQLite's driver gives Python's lock away for each.
        statement = self._statements.get(len(rows)) or self._statement(len(rows))
        # From where they are: the column of a relation is a descriptor, which costs a call.
        values = [
            held[name] if convert is None else convert(held[name])
            for held in (row.__dict__ for row in rows)
            for name, convert in self._columns
        ]
        if not self._keys:
            statement.count(values)
            return
        for row, (key,) in zip(rows, statement.rows(values), strict=True):
            row.pk = key

    def _statement(self, count: int) -> Statement:
        meta, quote = self._model._meta, connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self._concrete)
        places = ", ".join(["(" + ", ".join(["%s"] * len(self._concrete)) + ")"] * count)
        told = f" RETURNING {quote(str(meta.pk.column))}" if self._keys else ""
        sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {places}{told}"  # noqa: S608 (names of our own)
        return self._statements.setdefault(count, Statement(sql))

    @cached_property
    def _concrete(self) -> list[models.Field[Any, Any]]:
        return [field for field in self._model._meta.local_concrete_fields if not isinstance(field, models.AutoField)]

    @cached_property
    def _columns(self) -> list[tuple[str, Convert | None]]:
        return [(field.attname, conversion(field)) for field in self._concrete]
