"""The feed of labels: in order, complete, and each row with what a statistician has to know about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway import lifecycle
from policies.decide import Reason
from policies.models import Line, Reveal
from policies.modes import Mode
from review.labels import append_label, next_sequences, withdraw_label
from review.models import Label, LabelFeed
from tests.review.people import arrive, fresh, judge

SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}
UNSURE = {"ok": 0.60, "scratch": 0.30, "dent": 0.10}


def test_labels_are_numbered_line_by_line(line: Line, other_line: Line, ines: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    arrive(other_line, 2, now=now)
    for _ in range(2):
        judge(line, ines, "ok", now)
        judge(other_line, ines, "fine", now)
    judge(line, ines, "dent", now)
    assert list(Label.objects.filter(line=line).values_list("sequence", "answer")) == [(1, "ok"), (2, "ok"), (3, "dent")]
    assert list(Label.objects.filter(line=other_line).values_list("sequence", flat=True)) == [1, 2]


def test_places_are_reserved_in_one_go(line: Line) -> None:
    assert list(next_sequences(line.pk, 3)) == [1, 2, 3]
    assert list(next_sequences(line.pk, 2)) == [4, 5]
    assert LabelFeed.objects.get(line=line).last_sequence == 5


def test_a_correction_supersedes_and_a_withdrawal_ends_the_chain(line: Line, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    first = append_label(item, "ok", blind=True, inclusion_probability=1.0, now=now)
    second = append_label(item, "dent", blind=False, inclusion_probability=0.5, now=now)
    withdraw_label(item, now=now)
    withdraw_label(item, now=now)
    last = Label.objects.get(superseded_by=None)
    assert (second.supersedes, last.supersedes) == (first, second)
    assert (last.answer, last.blind, last.inclusion_probability, Label.objects.count()) == ("", False, 0.5, 3)


def test_there_is_nothing_to_withdraw_where_nothing_stands(line: Line, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    withdraw_label(item, now=now)
    assert not Label.objects.exists()


def test_the_database_refuses_a_second_first_label_and_a_place_taken_twice(line: Line, now: datetime) -> None:
    (item, other) = arrive(line, 2, now=now)
    kept = append_label(item, "ok", blind=True, inclusion_probability=1.0, now=now)
    columns = {"line": line, "answer": "ok", "source": "judgement", "blind": True, "in_audit": False, "created_at": now}
    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.create(item=item, sequence=99, **columns)
    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.create(item=other, sequence=kept.sequence, **columns)


@pytest.mark.parametrize(
    ("mode", "says", "audit", "appealed", "probability", "blind"),
    [
        (Mode.HUMAN_ONLY, None, 0.0, False, 1.0, True),
        (Mode.SHADOW, SURE, 0.0, False, 1.0, True),
        (Mode.SHADOW, None, 0.0, False, 1.0, True),  # no model could look
        (Mode.ASSIST, SURE, 0.0, False, 1.0, False),
        (Mode.ASSIST, SURE, 0.999999, False, 1.0, True),
        (Mode.PARTIAL, UNSURE, 0.0, False, 1.0, False),
        (Mode.PARTIAL, UNSURE, 0.999999, False, 1.0, True),
        (Mode.PARTIAL, SURE, 0.999999, False, 0.999999, True),
        (Mode.FULL, SURE, 0.999999, False, 0.999999, True),
        # Nobody knows with which probability a decision is doubted, unless chance had drawn the item as well.
        (Mode.FULL, SURE, 0.0, True, None, True),
        (Mode.PARTIAL, SURE, 0.0, True, None, True),
    ],
)
def test_every_label_knows_its_inclusion_probability_and_whether_it_is_blind(
    line: Line,
    ines: User,
    now: datetime,
    dial: Callable[..., Any],
    mode: Mode,
    says: dict[str, float] | None,
    audit: float,
    appealed: bool,
    probability: float | None,
    blind: bool,
) -> None:
    dial(mode, thresholds={"ok": 0.9}, audit_rate=audit)
    (item,) = arrive(line, now=now, says=says)
    if appealed:
        lifecycle.refer(item, Reason.APPEAL, blind=True, actor="test", now=now)
    judge(line, ines, "ok", now)
    label = Label.objects.get()
    assert (label.inclusion_probability, label.blind, label.in_audit) == (probability, blind, audit > 0)


def test_an_appeal_against_an_audited_decision_does_not_claim_to_be_drawn_by_chance(
    line: Line, ines: User, noor: User, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.FULL, audit_rate=0.999999)
    (item,) = arrive(line, now=now, says=SURE)
    judge(line, ines, "ok", now)
    lifecycle.refer(fresh(item), Reason.APPEAL, blind=True, actor="test", now=now)
    judge(line, noor, "dent", now)
    assert list(Label.objects.order_by("sequence").values_list("inclusion_probability", flat=True)) == [0.999999, None]


def test_a_line_that_never_reveals_makes_blind_labels_in_assist(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any]
) -> None:
    Line.objects.filter(pk=line.pk).update(reveal=Reveal.BLIND)
    dial(Mode.ASSIST)
    arrive(line, now=now, says=SURE)
    judge(line, ines, "ok", now)
    assert Label.objects.get().blind
