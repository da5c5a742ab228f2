"""A statement that is known runs past Django's cursor, and behaves like one that does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from gateway.statements import Statement
from policies.models import Line

pytestmark = pytest.mark.django_db

READ = Statement("SELECT slug FROM policies_line WHERE slug LIKE 'p%%' AND id = %s")
RENAME = Statement("UPDATE policies_line SET name = %s WHERE id = %s")
TAKE = Statement("UPDATE policies_line SET slug = %s WHERE id = %s")


@pytest.fixture
def other(line: Line) -> Line:
    return Line.objects.create(slug="doors", name="Doors", question="?", created_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_it_reads_and_counts(line: Line, other: Line) -> None:
    # More often than it takes until a server keeps a plan.
    for _ in range(4):
        assert READ.rows([line.pk]) == [("phones",)]
        assert READ.rows([other.pk]) == []
        assert RENAME.count(["New", line.pk]) == 1
        assert RENAME.count(["New", 0]) == 0


def test_who_looks_on_sees_it(line: Line) -> None:
    with CaptureQueriesContext(connection) as seen:
        READ.rows([line.pk])
        RENAME.count(["One", line.pk])
    assert len(seen) == 2


def test_what_the_database_refuses_is_told_as_by_django(line: Line, other: Line) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TAKE.count(["phones", other.pk])
    assert READ.rows([line.pk]) == [("phones",)]


def test_a_transaction_that_is_broken_takes_no_more(line: Line) -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            READ.rows([line.pk])
        transaction.set_rollback(False)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only a server keeps plans")
def test_what_comes_often_is_planned_once_but_for_what_depends_on_its_values(line: Line) -> None:
    alone = Statement("SELECT name FROM policies_line WHERE id = %s", plan_once=False)
    for _ in range(8):
        READ.rows([line.pk])
        alone.rows([line.pk])
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        kept = [statement for (statement,) in cursor.fetchall()]
    assert any(statement.startswith("SELECT slug FROM policies_line") for statement in kept)
    assert not any(statement.startswith("SELECT name FROM policies_line") for statement in kept)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_closed_is_made_anew(line: Line) -> None:
    connection.close()
    assert READ.rows([line.pk]) == [("phones",)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file does not hang up")
def test_a_server_that_hung_up_is_asked_over_a_new_connection(line: Line) -> None:
    connection.connection.close()
    # As at the beginning of every request.
    connection.health_check_done, connection.health_check_enabled = False, True
    assert READ.rows([line.pk]) == [("phones",)]
