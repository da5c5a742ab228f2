"""Work joined from many threads: nobody waits for ever, nobody is forgotten, and a failure finds its own caller."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gateway.company import Company, Ticket, fail_all
from gateway.errors import NotRecorded
from tests.races import race

pytestmark = pytest.mark.usefixtures("file_database")
SOON = 10.0


class Work:
    """Doubles numbers; each leader's first work is held until so many others wait behind it."""

    def __init__(self, behind: int = 0) -> None:
        self.behind, self.groups, self.lock = behind, [], threading.Lock()
        self.company: Company[int, int] | None = None
        self.raises: BaseException | None = None

    def __call__(self, tickets: list[Ticket[int, int]]) -> None:
        with self.lock:
            first, _ = not self.groups, self.groups.append([ticket.entry for ticket in tickets])
        if first:
            self._hold()
        if self.raises is not None:
            raise self.raises
        for ticket in tickets:
            if ticket.entry < 0:
                ticket.failed(ValueError(ticket.entry))
            else:
                ticket.done(2 * ticket.entry)

    def _hold(self) -> None:
        pause = threading.Event()
        for _ in range(int(SOON / 0.002)):
            if self.company is None or len(self.company._waiting) >= self.behind:
                return
            pause.wait(0.002)
        raise TimeoutError("the others did not come")


def made(behind: int, *, leaders: int = 1, most: int = 64) -> tuple[Work, Company[int, int]]:
    work = Work(behind)
    work.company = Company(work, leaders=leaders, most=most)
    return work, work.company


def calls(company: Company[int, int], *numbers: int) -> list[Any]:
    return race(*(lambda number=number: company.join(number) for number in numbers))


def test_who_waits_is_worked_for_together() -> None:
    work, company = made(5)
    assert sorted(calls(company, *range(6))) == [0, 2, 4, 6, 8, 10]
    assert [len(group) for group in work.groups] == [1, 5]


def test_a_leader_takes_no_more_than_so_many() -> None:
    work, company = made(6, most=3)
    assert sorted(calls(company, *range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert [len(group) for group in work.groups] == [1, 3, 3]


def test_several_may_lead_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=SOON)

    def work(tickets: list[Ticket[int, int]]) -> None:
        meeting.wait()
        for ticket in tickets:
            ticket.done(ticket.entry)

    assert sorted(calls(Company(work, leaders=2, most=1), 1, 2)) == [1, 2]


def test_a_failure_finds_its_own_caller() -> None:
    _, company = made(3)
    answers = calls(company, 1, -2, 3, 4)
    assert isinstance(answers[1], ValueError)
    assert [answers[0], answers[2], answers[3]] == [2, 6, 8]


def test_the_entries_of_one_caller_are_all_over_when_it_goes_on() -> None:
    work, company = made(0, most=2)
    assert [ticket.answer() for ticket in company.join_all([1, 2, 3, 4, 5])] == [2, 4, 6, 8, 10]
    assert [len(group) for group in work.groups] == [2, 2, 1]
    assert company.join_all([]) == []
    assert company.join(7) == 14, "the lead was given back"


def test_work_that_breaks_off_leaves_nobody_behind() -> None:
    """The leader gets what went wrong, the others that it is not known; whoever comes after is served."""
    work, company = made(3)
    work.raises = ZeroDivisionError()
    answers = calls(company, 1, 2, 3, 4)
    assert sum(isinstance(answer, ZeroDivisionError) for answer in answers) == 2
    assert sum(isinstance(answer, NotRecorded) for answer in answers) == 2
    work.raises = None
    assert company.join(5) == 10


def test_one_error_of_all_is_raised_in_each_as_its_own() -> None:
    tickets = [Ticket[int, int](number) for number in range(3)]
    error = NotRecorded("the reason")
    fail_all(tickets, error)
    assert len({id(ticket.error) for ticket in tickets}) == 3
    assert all(isinstance(ticket.error, NotRecorded) and str(ticket.error) == "the reason" for ticket in tickets)
    alone = [Ticket[int, int](1)]
    fail_all(alone, error)
    assert alone[0].error is error
