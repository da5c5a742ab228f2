"""Taking away the index of a foreign key that nobody needs, for migrations."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations import AlterField


class WithoutIndex(AlterField):
    """`AlterField` to `db_index=False`, for which Django copies the whole table on SQLite: minutes for a million rows."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the index that Django made for the column alone."""
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        for name in _of_its_own(schema_editor.connection, model, model._meta.get_field(self.name).column):
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make it again; an index does not care what it is called."""
        if schema_editor.connection.vendor != "sqlite":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        names = schema_editor.quote_name(model._meta.db_table), schema_editor.quote_name(field.column)
        index = schema_editor.quote_name(f"{model._meta.db_table}_{field.column}")
        schema_editor.execute(f"CREATE INDEX {index} ON {names[0]} ({names[1]})")


def _of_its_own(connection: Any, model: type[models.Model], column: str) -> list[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    named = {index.name for index in model._meta.indexes}
    return [
        name
        for name, one in found.items()
        if one["index"] and not one["unique"] and one["columns"] == [column] and name not in named
    ]
