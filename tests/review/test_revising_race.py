"""Two tabs, one answer to change, a real database file."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from gateway.models import Decision, Item, Referral, ReferralState
from policies.models import Line
from review.errors import NotRevisable
from review.models import Judgement, Label
from tests.races import race
from tests.review.people import arrive, change, judge, say, take

pytestmark = pytest.mark.usefixtures("file_database")


def test_two_tabs_that_change_the_same_answer_end_with_one_of_them(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    old = judge(line, ines, "ok", now)

    results = race(*(lambda answer=answer: change(ines, old, answer, now) for answer in ("dent", "scratch")))

    (won,) = [one for one in results if isinstance(one, Judgement)]
    assert sum(isinstance(one, NotRevisable) for one in results) == 1, results
    assert Item.objects.get().answer == won.answer
    assert (Judgement.objects.count(), Decision.objects.count(), Label.objects.count()) == (2, 2, 2)


def test_one_change_sent_twice_at_once_is_one_change(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    old = judge(line, ines, "ok", now)
    results = race(*(lambda: change(ines, old, "dent", now, name="k") for _ in range(3)))
    assert {getattr(one, "pk", one) for one in results} == {Judgement.objects.get(supersedes=old).pk}


def test_a_change_and_another_persons_answer_leave_one_story(line: Line, ines: User, noor: User, now: datetime) -> None:
    """Whichever comes first, item, label and referral tell the same."""
    arrive(line, now=now)
    old = judge(line, ines, "", now)
    claim = take(line, noor, now)

    changed, said = race(lambda: change(ines, old, "dent", now), lambda: say(noor, claim, "ok", now))

    won = [one for one in (changed, said) if isinstance(one, Judgement)]
    standing = list(Judgement.objects.filter(superseded_by=None).exclude(answer="").values_list("answer", flat=True))
    assert won and set(standing) == {one.answer for one in won}
    item = Item.objects.get()
    open_now = list(Referral.objects.filter(state=ReferralState.OPEN).values_list("reason", flat=True))
    if len(standing) == 1:
        assert (item.answer, open_now, Label.objects.get(superseded_by=None).answer) == (standing[0], [], standing[0])
    else:
        assert (item.answer, open_now, Label.objects.filter(superseded_by=None).exclude(answer="").count()) == (
            "",
            ["disagreement"],
            0,
        )
