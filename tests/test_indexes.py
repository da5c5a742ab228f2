"""No row pays for an index that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState

from gateway.migrations._without_index import WithoutIndex, of_its_own
from gateway.models import Event, Item, Prediction
from tests.test_query_plans import BIG


def beginnings(model: type[models.Model]) -> Iterator[str]:
    """Yield the first column of every index of all rows that has more than one."""
    for one in [*model._meta.indexes, *model._meta.constraints]:
        fields = getattr(one, "fields", ())
        if len(fields) > 1 and getattr(one, "condition", None) is None:
            yield fields[0].removeprefix("-")


def test_no_foreign_key_has_an_index_where_another_begins_with_it() -> None:
    twice = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.db_table in BIG
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.db_index and field.name in set(beginnings(model))
    ]
    assert twice == []


@pytest.mark.django_db
def test_every_index_and_constraint_that_a_model_names_is_there() -> None:
    missing = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            there = connection.introspection.get_constraints(cursor, model._meta.db_table)
            missing += [one.name for one in [*model._meta.indexes, *model._meta.constraints] if one.name not in there]
    assert missing == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("model", "name"), [(Item, "policy"), (Event, "line"), (Prediction, "item")])
def test_the_index_goes_and_comes_back(model: Any, name: str) -> None:
    column = model._meta.get_field(name).column
    assert of_its_own(connection, model, column) == []
    after = ProjectState.from_apps(apps)
    before = after.clone()
    field = model._meta.get_field(name).clone()
    field.db_index = True
    before.alter_field(model._meta.app_label, model._meta.model_name, name, field, preserve_default=True)
    operation = WithoutIndex(model._meta.model_name, name, model._meta.get_field(name).clone())
    with connection.schema_editor() as editor:
        operation.database_backwards(model._meta.app_label, editor, after, before)
    assert len(of_its_own(connection, model, column)) == 1
    with connection.schema_editor() as editor:
        operation.database_forwards(model._meta.app_label, editor, before, after)
    assert of_its_own(connection, model, column) == []
