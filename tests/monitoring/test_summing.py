"""Sums of quarters say what counting all items says, whatever moved since they were made."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from math import floor
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway import lifecycle
from gateway.models import Event, Item, Prediction
from monitoring import summing, tasks
from monitoring.cells import FINE
from monitoring.flow import automated, flow, trend
from monitoring.models import Quarter, Summed
from monitoring.quarters import QUARTER, quarter_of
from monitoring.selectors import arrived
from monitoring.selectors.arrived import Book, book_of, cells, groups, how_many, scored
from monitoring.selectors.lines import overviews
from monitoring.windows import window_of
from policies.decide import Reason
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review import claims
from review.models import Judgement
from tests.monitoring import rows
from tests.review.people import arrive, change, judge, say

DAY, MINUTE = timedelta(hours=24), timedelta(minutes=1)
SURE, UNSURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}, {"ok": 0.5, "scratch": 0.3, "dent": 0.2}
Dial = Callable[..., PolicyVersion]
Queries = Callable[[int], Any]


def run(line: Line, now: datetime) -> int:
    """What the worker does every ten seconds."""
    last = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    return summing.sum_up(line, event=last, now=now)


def all_counted(line: Line, since: datetime, until: datetime) -> Counter[tuple[str, ...]]:
    """Count one by one, without any sum."""
    found = Item.objects.filter(line=line, received_at__gte=since, received_at__lt=until).exclude(decided_by="import")
    return Counter((one.decided_by, one.route, one.state, one.answer) for one in found)


def agree(line: Line, since: datetime, until: datetime) -> None:
    """What is read is what is there."""
    book, told = book_of(line), Counter[tuple[str, ...]]()
    for start, (*group, count) in groups(book, since, until):
        assert start < until
        told[tuple(group)] += count
    assert told == all_counted(line, since, until)
    assert how_many(book, since, until) == told.total()
    apart = Book(line, None, frozenset())
    assert Counter(cells(book, since, until)) == Counter(cells(apart, since, until))
    said = Prediction.objects.filter(
        item__line=line, role="champion", item__received_at__gte=since, item__received_at__lt=until
    )
    assert scored(book, None, since, until) == Counter((one.answer, floor(one.score * FINE)) for one in said)


class Life:
    """A line on which anything happens, one thing after the other."""

    def __init__(self, line: Line, person: User, now: datetime, seed: int) -> None:
        self.line, self.person, self.now, self.chance = line, person, now, random.Random(seed)
        self.given: list[Judgement] = []

    def step(self) -> None:
        """Let something happen, and some time go by."""
        self.chance.choice(
            [self.arrival, self.arrival, self.late, self.judgement, self.other, self.deadline, self.back, self.sums]
        )()
        self.now += self.chance.choice([timedelta(seconds=1), 4 * MINUTE, 17 * MINUTE, 70 * MINUTE])

    def arrival(self) -> None:
        arrive(self.line, self.chance.randint(1, 3), now=self.now, says=self.chance.choice([SURE, UNSURE]))

    def late(self) -> None:
        """It came in an earlier quarter and is recorded only now."""
        arrive(self.line, now=self.now - self.chance.choice([1, 20, 200]) * MINUTE, says=SURE)

    def judgement(self) -> None:
        for claim in claims.take(self.line, self.person, want=1, now=self.now):
            self.given.append(say(self.person, claim, self.chance.choice(["ok", "dent"]), self.now))

    def other(self) -> None:
        if self.given and self.given[-1].created_at > self.now - 20 * MINUTE:
            self.given.append(change(self.person, self.given.pop(), "scratch", self.now))

    def deadline(self) -> None:
        if waiting := Item.objects.filter(state="referred").first():
            lifecycle.fail_safe(waiting.pk, now=self.now)

    def back(self) -> None:
        if decided := Item.objects.filter(decided_by="person").last():
            lifecycle.take_back(decided.pk, user=self.person, reason="", now=self.now)

    def sums(self) -> None:
        run(self.line, self.now)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_moves_the_sums_say_what_is_there(line: Line, dial: Dial, ines: User, now: datetime, seed: int) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.3)
    life = Life(line, ines, now, seed)
    for _ in range(25):
        life.step()
        agree(line, life.now - timedelta(hours=3, minutes=7), life.now)
    assert run(line, life.now) and Quarter.objects.exists()
    agree(line, now - DAY, life.now + DAY)


def test_a_quarter_is_summed_up_when_it_is_over_and_again_when_something_moves(line: Line, ines: User, now: datetime) -> None:
    now = quarter_of(now)
    arrive(line, 3, now=now)
    assert run(line, now + MINUTE) == 0
    assert run(line, now + QUARTER) == 1
    assert Quarter.objects.get().groups == [["", "refer", "referred", "", 3]]
    assert run(line, now + QUARTER + MINUTE) == 0
    judge(line, ines, "dent", now + QUARTER + MINUTE)
    agree(line, now, now + DAY)
    assert run(line, now + QUARTER + 2 * MINUTE) == 1
    assert sorted(Quarter.objects.get().groups) == [["", "refer", "referred", "", 2], ["person", "refer", "decided", "dent", 1]]


def test_a_line_that_lived_without_sums_gets_them_a_piece_a_run(
    line: Line, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing, "MOST", 4)
    now = quarter_of(now)
    for back in (1, 5, 9):
        arrive(line, now=now - back * QUARTER)
    assert [run(line, now) for _ in range(4)] == [4, 4, 1, 0]
    assert Quarter.objects.count() == 3
    summed = Summed.objects.get()
    assert (summed.since, summed.until) == (now - 9 * QUARTER, now)
    # The worker was away for a while.
    assert [run(line, now + 6 * QUARTER) for _ in range(3)] == [4, 2, 0]
    agree(line, now - DAY, now + DAY)


def test_what_is_summed_up_is_not_counted_again(
    line: Line, dial: Dial, now: datetime, django_assert_num_queries: Queries
) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.0)
    now = quarter_of(now) + MINUTE
    arrive(line, 5, now=now - timedelta(hours=2), says=SURE)
    arrive(line, 2, now=now - timedelta(hours=2), says=UNSURE)
    run(line, now)
    Item.objects.update(answer="dent")  # no move: it left no event
    arrived = groups(book_of(line), now - DAY)
    assert (flow(arrived, "ok").model_passed, automated(arrived).count) == (5, 5)
    window = window_of("24h")
    with django_assert_num_queries(5):
        arrived = groups(book_of(line), window.start(now - MINUTE + QUARTER))
    whole, points = flow(arrived, "ok"), trend(arrived, window.edges(now - MINUTE + QUARTER))
    assert (whole.model_passed, whole.waiting, sum(point.automated.n for point in points)) == (5, 2, 7)


def test_all_lines_read_their_sums(line: Line, other_line: Line, now: datetime, django_assert_num_queries: Queries) -> None:
    now = quarter_of(now) + MINUTE
    for one in (line, other_line):
        rows.automated(one, now, "ok", received_at=now - DAY + MINUTE)
        rows.automated(one, now, "ok", received_at=now - timedelta(hours=5))
        rows.item(one, now, received_at=now - timedelta(hours=5))
        rows.automated(one, now, "ok", received_at=now)
    while run(line, now):
        pass
    assert Quarter.objects.filter(line=line).update(arrived=12, automated=11) == 2
    with django_assert_num_queries(4):
        found = {one.line.slug: (one.arrived, one.automated.count) for one in overviews(now)}
    # The sum of the quarter in which the day begins is not read: only a part of it is of the day.
    assert found == {line.slug: (12 + 2, 11 + 2), other_line.slug: (4, 3)}


def test_a_clock_that_goes_back_undoes_no_sum(line: Line, now: datetime) -> None:
    now = quarter_of(now)
    arrive(line, 2, now=now - MINUTE)
    run(line, now - QUARTER)
    assert run(line, now + MINUTE) and Summed.objects.get().until == now
    run(line, now - MINUTE)
    assert Summed.objects.get().until == now
    agree(line, now - DAY, now + DAY)
    (overview,) = overviews(now + MINUTE)
    assert overview.arrived == 2


def test_after_a_long_time_without_a_worker_sums_begin_anew(
    line: Line, ines: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = quarter_of(now)
    arrive(line, 3, now=now - 3 * QUARTER)
    run(line, now)
    monkeypatch.setattr(arrived, "MOST_BEHIND", 2)
    monkeypatch.setattr(summing, "MOST_BEHIND", 2)
    judge(line, ines, "dent", now)
    assert book_of(line).span is None, "which quarters moved is not looked for"
    agree(line, now - DAY, now + DAY)
    later = now + 5 * QUARTER
    assert run(line, later) and Summed.objects.get().until == later
    assert book_of(line).moved == frozenset()
    agree(line, now - DAY, later)


def test_after_a_run_that_took_long_the_worker_rests(line: Line, now: datetime) -> None:
    now = quarter_of(now)
    arrive(line, 1, now=now - MINUTE, says=UNSURE)
    run(line, now - QUARTER)
    summing.rest(line, timedelta(seconds=1), now)
    assert Summed.objects.get().rest_until is None
    summing.rest(line, timedelta(seconds=5), now)
    assert run(line, now + timedelta(seconds=44)) == 0
    # What is not summed up is counted meanwhile.
    assert how_many(book_of(line), now - DAY) == 1
    assert run(line, now + timedelta(seconds=46)) == 1


def test_a_clock_that_went_back_makes_no_rest_longer(line: Line, now: datetime) -> None:
    now = quarter_of(now)
    arrive(line, 1, now=now - MINUTE, says=UNSURE)
    run(line, now - QUARTER)
    summing.rest(line, timedelta(hours=1), now + DAY)
    assert run(line, now) == 1


def test_an_imported_item_is_no_arrival(line: Line, now: datetime) -> None:
    now = quarter_of(now)
    rows.item(line, now, state="decided", answer="ok", decided_by="import", received_at=now - MINUTE)
    assert run(line, now) == 1 and not Quarter.objects.exists()
    agree(line, now - DAY, now)


def test_of_two_runs_with_the_same_beginning_one_writes(line: Line, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = quarter_of(now)
    arrive(line, now=now - MINUTE)
    run(line, now - QUARTER)
    counted = summing.quarter

    def meanwhile(*span: Any) -> Quarter:
        monkeypatch.setattr(summing, "quarter", counted)
        assert run(line, now) == 1
        return counted(*span)

    monkeypatch.setattr(summing, "quarter", meanwhile)
    assert run(line, now) == 0
    assert Quarter.objects.get().arrived == 1


def test_the_worker_sums_up_every_line(line: Line, other_line: Line, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (line, other_line):
        arrive(one, now=now - 2 * QUARTER)
    woken: list[tuple[int, int]] = []
    monkeypatch.setattr(tasks, "wake", lambda task, *of: woken.append(of))
    assert tasks.sum_up_quarters() == 2
    assert {tasks.sum_up_line(*of) > 0 for of in woken} == {True}
    assert {row.line_id for row in Quarter.objects.all()} == {line.pk, other_line.pk}
    monkeypatch.setattr(tasks, "settled", lambda: None)
    assert tasks.sum_up_quarters() == 0


def test_a_reason_to_ask_again_moves_nothing_that_is_summed_up(line: Line, dial: Dial, now: datetime) -> None:
    """An event of an item of long ago is seen where the quarter is older than what is summed up, and changes nothing."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.0)
    now = quarter_of(now)
    (item,) = arrive(line, now=now - 8 * QUARTER, says=SURE)
    Summed.objects.create(line=line, since=now - QUARTER, until=now, event=0)
    lifecycle.refer(item, Reason.APPEAL, blind=True, actor="user:max", now=now)
    agree(line, now - DAY, now)
