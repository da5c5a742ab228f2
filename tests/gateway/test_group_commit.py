"""Commits joined from many threads: nobody is answered too early, nobody hangs, and a failure finds its own caller."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from gateway.errors import ExternalIdTaken, NotRecorded
from gateway.group_commit import GroupCommit
from tests.races import race

pytestmark = pytest.mark.usefixtures("file_database")
SOON = 10.0


class Writer:
    """Writes numbers into a table of its own; the first group is held until enough others wait behind it."""

    def __init__(self, behind: int = 0) -> None:
        self.behind, self.groups, self.group = behind, [], None
        self.fails: dict[int, BaseException] = {}
        with connection.cursor() as cursor:
            # A server keeps it from one test to the next.
            cursor.execute("DROP TABLE IF EXISTS written")
            cursor.execute("CREATE TABLE written (number INTEGER UNIQUE)")

    def __call__(self, numbers: Sequence[int]) -> list[Any]:
        if not self.groups:
            self._hold()
        self.groups.append(list(numbers))
        for number in numbers:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO written VALUES (%s)", [number % 1000])
            if number in self.fails:
                raise self.fails[number]
        return list(numbers)

    def _hold(self) -> None:
        pause = threading.Event()
        for _ in range(int(SOON / 0.002)):
            if len(self.group._company._waiting) >= self.behind:
                return
            pause.wait(0.002)
        raise TimeoutError("the others did not come")


@pytest.fixture
def make() -> Any:
    def build(behind: int) -> tuple[Writer, GroupCommit[int, int]]:
        writer = Writer(behind)
        writer.group = GroupCommit(writer)
        return writer, writer.group

    return build


def written() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM written")
        return {row[0] for row in cursor.fetchall()}


def calls(group: GroupCommit[int, int], *numbers: int) -> list[Any]:
    def one(number: int) -> Any:
        def call() -> Any:
            found = group.record(number)
            # On a connection of its own thread: it sees what is committed and nothing else.
            return found, found % 1000 in written()

        return call

    return race(*(one(number) for number in numbers))


def test_who_waits_is_written_together_and_answered_after_the_commit(make: Any) -> None:
    writer, group = make(5)
    assert sorted(calls(group, 1, 2, 3, 4, 5, 6)) == [(number, True) for number in range(1, 7)]
    assert [len(numbers) for numbers in writer.groups] == [1, 5]
    assert written() == {1, 2, 3, 4, 5, 6}


def test_one_that_fails_takes_nobody_with_it(make: Any) -> None:
    """1 and 1001 want the same place: one of them has to fail, and none of the others."""
    _, group = make(4)
    answers = calls(group, 1, 2, 1001, 3, 4)
    failed = [answer for answer in answers if isinstance(answer, IntegrityError)]
    assert len(failed) == 1
    assert len([answer for answer in answers if isinstance(answer, tuple) and answer[1]]) == 4
    assert written() == {1, 2, 3, 4}


def test_an_error_of_ours_reaches_its_own_caller(make: Any) -> None:
    writer, group = make(3)
    writer.fails[3] = ExternalIdTaken("taken")
    answers = calls(group, 1, 2, 3, 4)
    assert isinstance(answers[2], ExternalIdTaken)
    assert [answers[0], answers[1], answers[3]] == [(1, True), (2, True), (4, True)]
    assert written() == {1, 2, 4}


def test_a_database_in_trouble_is_not_asked_once_an_entry(make: Any) -> None:
    writer, group = make(3)
    writer.fails = dict.fromkeys((1, 2, 3, 4), OperationalError("database is locked"))
    answers = calls(group, 1, 2, 3, 4)
    assert all(isinstance(answer, OperationalError) for answer in answers)
    assert len(set(map(id, answers))) == 4, "an exception must not be raised in several threads"
    assert len(writer.groups) == 2
    assert written() == set()


class Interrupted(BaseException):
    """As KeyboardInterrupt, which pytest would take for itself."""


def test_a_leader_that_is_interrupted_leaves_nobody_behind(make: Any) -> None:
    writer, group = make(3)
    writer.fails = dict.fromkeys((1, 2, 3, 4), Interrupted())

    def one(number: int) -> Any:
        def call() -> Any:
            try:
                return group.record(number)
            except Interrupted:
                return "interrupted"

        return call

    answers = race(*(one(number) for number in (1, 2, 3, 4)))
    # The first led alone, the second for the two others.
    assert answers.count("interrupted") == 2
    assert sum(isinstance(answer, NotRecorded) for answer in answers) == 2
    assert written() == set()
    writer.fails.clear()
    assert group.record(7) == 7


def test_within_a_transaction_of_the_caller_nothing_is_joined(make: Any) -> None:
    _, group = make(0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert group.record(1) == 1
        1 / 0  # noqa: B018
    assert written() == set()
