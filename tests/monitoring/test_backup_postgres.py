"""PostgreSQL is saved and restored by its own programs: what was there is there again, in another database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from gateway.models import Item
from monitoring.backup import databases
from policies.models import Line

pytestmark = [
    pytest.mark.usefixtures("file_database"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="runs with SLUICE_TEST_DATABASE=postgresql"),
]

NAME = "sluice_restored"


@pytest.fixture
def empty(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Move to an empty database, and back at the end."""
    kept, present = connections.settings["default"]["NAME"], connection.settings_dict

    def move(name: str) -> None:
        connection.close()
        present["NAME"] = name

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME}")
    yield lambda: move(NAME)
    move(kept)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {NAME}")


def test_what_was_saved_is_there_again(
    tmp_path: Path, line: Line, post: Callable[..., dict[str, Any]], empty: Callable[[], None]
) -> None:
    ids = {post(seed)["id"] for seed in range(3)}
    name = databases.copy_to(tmp_path)
    assert not databases.is_empty()
    empty()
    assert databases.is_empty()
    databases.put_into_place(tmp_path / name)
    assert {str(pk) for pk in Item.objects.values_list("pk", flat=True)} == ids
