"""An answer that is sent again, because nobody knew whether it had arrived, counts once."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from gateway.errors import KeyReused
from gateway.models import Decision
from policies.models import Line
from review.errors import NotRevisable
from review.models import Claim, Judgement, Label
from tests.review.people import arrive, change, judge, say, take


def test_the_same_key_again_returns_the_same_judgement(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)
    first = say(ines, claim, "dent", now, name="k")
    assert say(ines, claim, "dent", now, name="k") == first
    assert Judgement.objects.count() == Decision.objects.count() == Label.objects.count() == 1


def test_the_same_key_with_another_answer_is_refused(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)
    say(ines, claim, "dent", now, name="k")
    with pytest.raises(KeyReused) as refused:
        say(ines, claim, "ok", now, name="k")
    assert (refused.value.status, Judgement.objects.get().answer) == (422, "dent")


def test_the_same_key_for_another_item_is_refused_and_not_silently_swallowed(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 2, now=now)
    say(ines, take(line, ines, now), "ok", now, name="k")
    second = take(line, ines, now)
    with pytest.raises(KeyReused):
        say(ines, second, "ok", now, name="k")
    assert Claim.objects.get(pk=second.pk).ended_at is None


def test_a_key_belongs_to_one_person(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, 2, now=now)
    mine = say(ines, take(line, ines, now), "ok", now, name="k")
    theirs = say(noor, take(line, noor, now), "dent", now, name="k")
    assert mine != theirs


def test_a_revision_sent_again_is_one_revision(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    old = judge(line, ines, "ok", now)
    first = change(ines, old, "dent", now, name="k")
    assert change(ines, old, "dent", now, name="k") == first
    with pytest.raises(KeyReused):
        change(ines, old, "scratch", now, name="k")
    with pytest.raises(NotRevisable):
        change(ines, old, "dent", now, name="another key")
    assert Judgement.objects.count() == 2


def test_a_first_answers_key_does_not_pass_for_a_revisions(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    old = say(ines, take(line, ines, now), "ok", now, name="k")
    with pytest.raises(KeyReused):
        change(ines, old, "ok", now, name="k")
