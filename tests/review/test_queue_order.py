"""Who gets what next: overdue first, then priority, then age; and never twice the same item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway import lifecycle
from gateway.models import Item, Referral
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from review import claims
from review.queue import candidates, queue_facts
from tests.review.people import arrive, fresh, judge, say, take

MINUTE = timedelta(minutes=1)


def served(line: Line, who: User, now: datetime, number: int = 4) -> list[str]:
    """The external ids in the order in which they are handed out."""
    return [claim.referral.item.external_id for claim in claims.take(line, who, want=number, now=now)]


def test_the_oldest_comes_first(line: Line, ines: User, now: datetime) -> None:
    for age, name in ((1, "young"), (3, "old"), (2, "middle")):
        arrive(line, now=now - age * MINUTE, names=[name])
    assert served(line, ines, now) == ["old", "middle", "young"]


def test_priority_goes_before_age_and_overdue_before_both(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any]
) -> None:
    arrive(line, now=now - 60 * MINUTE, names=["old"])
    arrive(line, now=now - 5 * MINUTE, names=["doubted"])
    Referral.objects.filter(item__external_id="doubted").update(priority=30)
    dial(Mode.HUMAN_ONLY, due_seconds=60)
    arrive(line, now=now - 2 * MINUTE, names=["overdue"])
    arrive(line, now=now - 3 * MINUTE, names=["overdue and older"])
    assert served(line, ines, now) == ["overdue and older", "overdue", "doubted", "old"]


def test_a_due_time_that_is_still_to_come_gives_no_precedence(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any]
) -> None:
    arrive(line, now=now - 2 * MINUTE, names=["without limit"])
    dial(Mode.HUMAN_ONLY, due_seconds=3600)
    arrive(line, now=now - MINUTE, names=["due later"])
    assert served(line, ines, now) == ["without limit", "due later"]


@pytest.mark.parametrize(
    ("reason", "first"),
    [(Reason.APPEAL, True), (Reason.DISAGREEMENT, True), (Reason.RECALL, True), (Reason.AUDIT, False)],
)
def test_some_reasons_come_before_the_ordinary_stream(
    line: Line, ines: User, noor: User, now: datetime, reason: Reason, first: bool
) -> None:
    arrive(line, now=now - 9 * MINUTE, names=["asked again"])
    judge(line, noor, "ok", now - 8 * MINUTE)
    arrive(line, now=now - 7 * MINUTE, names=["ordinary"])
    lifecycle.refer(Item.objects.get(external_id="asked again"), reason, blind=True, actor="test", now=now)
    assert (served(line, ines, now)[0] == "asked again") is first


def test_what_came_in_one_batch_is_handed_out_in_its_order(line: Line, ines: User, now: datetime) -> None:
    names = ["d", "a", "c", "b"]
    arrive(line, now=now, names=names)
    assert served(line, ines, now) == names


def test_what_i_skipped_goes_to_others_and_not_back_to_me(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, now=now, names=["hard"])
    claims.skip(take(line, ines, now).pk, ines, now=now)
    assert served(line, ines, now) == []
    assert served(line, noor, now) == ["hard"]


def test_what_i_judged_never_comes_back_to_me_whoever_asks_again(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now, names=["known"])
    judge(line, ines, "ok", now)
    lifecycle.refer(fresh(item), Reason.APPEAL, blind=True, actor="test", now=now)
    assert served(line, ines, now) == []
    assert served(line, noor, now) == ["known"]


def test_two_questions_about_one_item_are_not_both_mine(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now, names=["asked twice"])
    lifecycle.refer(item, Reason.APPEAL, blind=True, actor="test", now=now)
    assert served(line, ines, now) == ["asked twice"]
    assert served(line, ines, now) == []
    assert served(line, noor, now) == ["asked twice"]


def test_lines_do_not_mix(line: Line, other_line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now, names=["phone"])
    arrive(other_line, now=now, names=["tile"])
    assert served(other_line, ines, now) == ["tile"]
    assert served(line, ines, now) == ["phone"]


def test_nobody_holds_more_than_the_console_shows(line: Line, other_line: Line, ines: User, now: datetime) -> None:
    arrive(line, 9, now=now)
    arrive(other_line, 1, now=now)
    assert len(claims.take(line, ines, want=3, now=now)) == 3
    assert len(claims.take(line, ines, want=3, now=now)) == claims.MOST_HELD - 3
    assert claims.take(line, ines, want=3, now=now) == []
    assert len(claims.take(other_line, ines, want=3, now=now)) == 1, "another line has a count of its own"


def test_an_answer_makes_room_for_the_next(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 6, now=now)
    first = claims.take(line, ines, want=4, now=now)[0]
    say(ines, first, "ok", now)
    assert len(claims.take(line, ines, want=4, now=now)) == 1


def test_the_facts_count_what_is_open(line: Line, ines: User, now: datetime, dial: Callable[..., Any]) -> None:
    assert (queue_facts(line, now=now).open, queue_facts(line, now=now).oldest_at) == (0, None)
    arrive(line, 2, now=now - 5 * MINUTE)
    dial(Mode.HUMAN_ONLY, due_seconds=60)
    arrive(line, 1, now=now - 2 * MINUTE)
    facts = queue_facts(line, now=now)
    assert (facts.open, facts.overdue, facts.oldest_at) == (3, 1, now - 5 * MINUTE)
    judge(line, ines, "ok", now)
    assert (queue_facts(line, now=now).open, queue_facts(line, now=now).overdue) == (2, 0)


@pytest.mark.parametrize("length", [1, 30])
def test_looking_for_candidates_costs_two_queries_whatever_waits(
    line: Line, ines: User, now: datetime, length: int, django_assert_num_queries: Any
) -> None:
    arrive(line, length, now=now)
    with django_assert_num_queries(2):
        found = list(candidates(line, ines, now=now, count=11))
        assert [one.item.external_id for one in found], "the items came with them"
    assert len(found) == min(length, 11)
