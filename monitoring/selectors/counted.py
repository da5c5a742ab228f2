"""What arrived on a line in a span of time, counted item by item: what sums are made of, and what is read where none are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Count, F, Func, QuerySet
from django.db.models.functions import Floor
from django.db.models.sql.compiler import SQLCompiler

from gateway.compiled import Rows, moment, number
from gateway.models import DecidedBy, Deployment, Item, Prediction, Role
from monitoring.cells import FINE
from monitoring.flow import Arrived
from monitoring.quarters import Span
from policies.models import Line


class Minute(Func):
    """The minute in UTC, as text: Django's own way asks Python for each row on SQLite."""

    output_field = CharField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> tuple[str, Any]:
        """Return the beginning of the text as which SQLite keeps it."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 16)", **more)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> tuple[str, Any]:
        """Return it formatted alike."""
        template = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
        return self.as_sql(compiler, connection, template=template, **more)


class _Hour(Minute):
    """The hour in the same way."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> tuple[str, Any]:
        """Return the beginning of the text."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 13) || ':00'", **more)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> tuple[str, Any]:
        """Return it formatted alike."""
        template = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:00')"
        return self.as_sql(compiler, connection, template=template, **more)


def _arrivals() -> QuerySet[Item]:
    """Return the items of a span that came to the line's door. Imported ones were never up for a decision."""
    found = Item.objects.filter(line=number("line"), received_at__gte=moment("begin"), received_at__lt=moment("end"))
    return found.exclude(decided_by=DecidedBy.IMPORT).order_by()


def _bin() -> Floor:
    return Floor(F("score") * float(FINE))


_groups = Rows(
    lambda: (
        _arrivals()
        .annotate(hour=_Hour("received_at"))
        .values_list("hour", "decided_by", "route", "state", "answer")
        .annotate(count=Count("*"))
    )
)
_first = Rows(lambda: _arrivals().order_by("received_at").values_list("received_at")[:1])
_how_many = Rows(lambda: _arrivals().values("line").annotate(count=Count("*")).values_list("count"))
_scores = Rows(
    lambda: (
        Prediction.objects.filter(
            role=Role.CHAMPION,
            item__line=number("line"),
            item__received_at__gte=moment("begin"),
            item__received_at__lt=moment("end"),
        )
        .order_by()
        .annotate(bin=_bin())
        .values_list("model_version", "answer", "bin")
        .annotate(count=Count("*"))
    )
)


def _scored(**which: Any) -> Rows:
    def said() -> QuerySet[Any, Any]:
        # The prediction that routes an item is written in the item's moment.
        of_span = {"created_at__gte": moment("begin"), "created_at__lt": moment("end")}
        found = Prediction.objects.filter(role=Role.CHAMPION, **which, **of_span).order_by().annotate(bin=_bin())
        return found.values_list("answer", "bin").annotate(count=Count("*"))

    return Rows(said)


_brought = _scored(model_version=None, item__line=number("line"))
_said_here = _scored(model_version=number("version"), item__line=number("line"))
_said_anywhere = _scored(model_version=number("version"))
_elsewhere = Rows(
    lambda: Deployment.objects.filter(model_version=number("version")).exclude(line=number("line")).values_list("pk")[:1]
)


def groups_in(line: Line, span: Span) -> list[Arrived]:
    """Return groups of the items that arrived in the span, each with the beginning of its hour."""
    return [(parsed(hour), tuple(group)) for hour, *group in _groups.all(line=line.pk, begin=span[0], end=span[1])]


def number_in(line: Line, span: Span) -> int:
    """Return the number of items that arrived in the span."""
    return sum(row[0] for row in _how_many.all(line=line.pk, begin=span[0], end=span[1]))


def first_in(line: Line, span: Span) -> datetime | None:
    """Return when the span's first item arrived."""
    row = _first.first(line=line.pk, begin=span[0], end=span[1])
    return None if row is None else row[0]


def scores_in(line: Line, span: Span) -> list[tuple[int | None, str, int, int]]:
    """Return version, answer, fine bin of the score and number of the predictions that routed the span's items."""
    found = _scores.all(line=line.pk, begin=span[0], end=span[1])
    return [(version, answer, int(position), count) for version, answer, position, count in found]


def scores_of(line: Line, version: int | None, spans: Sequence[Span]) -> list[tuple[str, int, int]]:
    """Return answer, fine bin and number of those of one version, None for the caller's own model, in spans that lie apart."""
    if version is None:
        said = _brought
    else:
        # Where the model serves no other line its predictions alone say it, and their index alone is read.
        said = _said_here if spans and _elsewhere.first(version=version, line=line.pk) else _said_anywhere
    found = [row for begin, end in spans for row in said.all(line=line.pk, version=version, begin=begin, end=end)]
    return [(answer, int(position), count) for answer, position, count in found]


def parsed(minute: str) -> datetime:
    """Return the moment that `Minute` writes."""
    return datetime.strptime(minute, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
