"""Taking away the index of a foreign key that nobody needs, for migrations."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations import AlterField


class WithoutIndex(AlterField):
    """`AlterField` to `db_index=False` that drops the index that Django made for the column alone, by its name.

    Django's own copies the whole table on SQLite, minutes for a million rows. On PostgreSQL it checks the foreign key anew, and takes
    every other index of that one column along, the unique ones among them.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop it."""
        model = from_state.apps.get_model(app_label, self.model_name)
        for name in of_its_own(schema_editor.connection, model, model._meta.get_field(self.name).column):
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make it again; an index does not care what it is called."""
        model = to_state.apps.get_model(app_label, self.model_name)
        table, column = model._meta.db_table, model._meta.get_field(self.name).column
        index, table, column = (schema_editor.quote_name(name) for name in (f"{table}_{column}", table, column))
        schema_editor.execute(f"CREATE INDEX {index} ON {table} ({column})")


def of_its_own(connection: Any, model: type[models.Model], column: str) -> list[str]:
    """Return the names of the indexes of this column alone that neither the model nor one of its constraints names."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    named = {one.name for one in [*model._meta.indexes, *model._meta.constraints]}
    return [
        name
        for name, one in found.items()
        if one["index"] and not one["unique"] and one["columns"] == [column] and name not in named
    ]
