"""Who writes to SQLite waits in line, with the threads of this process and with other processes; a failure leaves the line."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from gateway import turns
from gateway.turns import in_turn

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="a server runs transactions side by side")


@pytest.fixture
def other(file_database: Path) -> Iterator[int]:
    """Return the lock of the database's processes as another of them has it open."""
    with closing(os.fdopen(os.open(f"{file_database}-turn", os.O_RDWR | os.O_CREAT), "r+b")) as file:
        yield file.fileno()


@pytest.mark.django_db(transaction=True)
def test_one_that_fails_leaves_the_line() -> None:
    with pytest.raises(ValueError, match="no"), in_turn():
        assert turns._line.locked() == (connection.vendor == "sqlite")
        raise ValueError("no")
    assert not turns._line.locked()


@pytest.mark.django_db(transaction=True)
def test_who_is_in_a_transaction_waits_for_nobody() -> None:
    with turns._line, transaction.atomic(), in_turn():
        assert connection.in_atomic_block


@sqlite_only
def test_one_process_has_its_turn_at_a_time(other: int) -> None:
    with pytest.raises(ValueError, match="no"), in_turn():
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise ValueError("no")
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@sqlite_only
def test_who_is_in_a_transaction_waits_for_no_process(other: int) -> None:
    fcntl.flock(other, fcntl.LOCK_EX)
    with transaction.atomic(), in_turn():
        assert connection.in_atomic_block


@sqlite_only
def test_who_waits_behind_a_frozen_process_is_told(other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.0)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(OperationalError, match="locked"), in_turn():
        pass
    assert not turns._line.locked()
    fcntl.flock(other, fcntl.LOCK_UN)
    with in_turn():
        assert connection.in_atomic_block


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_who_waits_behind_a_frozen_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.0)
    with turns._line, pytest.raises(OperationalError, match="locked"), in_turn():
        pass


@sqlite_only
def test_whoever_may_use_the_database_may_have_its_turn(file_database: Path) -> None:
    file_database.chmod(0o640)
    with in_turn():
        pass
    assert Path(f"{file_database}-turn").stat().st_mode & 0o777 == 0o640


@sqlite_only
def test_a_turn_that_cannot_be_had_is_trouble_of_the_database(file_database: Path) -> None:
    Path(f"{file_database}-turn").mkdir()
    with pytest.raises(OperationalError, match="Is a directory"), in_turn():
        pass
