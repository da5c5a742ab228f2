"""What becomes of an item, its referral, its decision and its label when people answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway import lifecycle
from gateway.errors import BadField
from gateway.models import DecidedBy, Decision, Event, ItemState, Referral, ReferralState
from policies.decide import Reason
from policies.models import Line, Reveal
from policies.modes import Mode
from review import claims
from review.models import Claim, Judgement, Label
from tests.review.people import arrive, fresh, judge, open_reasons, say, take

SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}


def decisions(item: Any) -> list[tuple[str, str]]:
    """Every decision that was ever made about the item, oldest first."""
    return list(Decision.objects.filter(item=item).order_by("number").values_list("answer", "decided_by"))


def test_one_answer_settles_an_item(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    box = {"label": "dent", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
    given = judge(line, ines, "dent", now, regions=[box], comment="at the edge", active_ms=2345)

    item = fresh(item)
    assert (item.state, item.answer, item.decided_by, item.decided_at) == (ItemState.DECIDED, "dent", DecidedBy.PERSON, now)
    decision = Decision.objects.get(item=item)
    assert (decision.user, decision.number, decision.reason, decision.policy) == (ines, 1, "human_only", item.policy)
    referral = Referral.objects.get(item=item)
    assert (referral.state, referral.settled_at) == (ReferralState.SETTLED, now)
    given.refresh_from_db()
    assert (given.regions, given.comment, given.active_ms) == ([box], "at the edge", 2345)
    label = Label.objects.get(item=item)
    assert (label.answer, label.regions, label.blind) == ("dent", [box], True)
    kinds = list(Event.objects.filter(item=item).values_list("kind", flat=True))
    assert kinds == ["item.referred", "referral.claimed", "judgement.given", "referral.settled", "item.decided"]


def test_an_audit_that_agrees_confirms_the_models_decision(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.FULL, audit_rate=1.0)
    (item,) = arrive(line, now=now, says=SURE)
    judge(line, ines, "ok", now)
    assert decisions(item) == [("ok", "model")]
    assert fresh(item).decided_by == DecidedBy.MODEL
    assert Event.objects.filter(item=item, kind="decision.confirmed", actor="user:ines").exists()
    assert Label.objects.get(item=item).answer == "ok"


def test_an_audit_that_disagrees_supersedes_it_and_keeps_it(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.FULL, audit_rate=1.0)
    (item,) = arrive(line, now=now, says=SURE)
    judge(line, ines, "scratch", now)
    assert decisions(item) == [("ok", "model"), ("scratch", "person")]
    assert (fresh(item).answer, fresh(item).decided_by, fresh(item).revision) == ("scratch", DecidedBy.PERSON, 2)
    assert Event.objects.filter(item=item, kind="decision.superseded", from_state="ok", to_state="scratch").exists()


def test_a_held_item_is_settled_like_any_other(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    lifecycle.fail_safe(item.pk, now=now)
    assert fresh(item).state == ItemState.HELD
    judge(line, ines, "ok", now)
    assert (fresh(item).state, fresh(item).answer) == (ItemState.DECIDED, "ok")


def test_unsure_asks_a_second_person_and_does_not_come_back(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    judge(line, ines, "", now)
    assert (fresh(item).state, open_reasons(item), Label.objects.count()) == (ItemState.REFERRED, ["human_only"], 0)
    assert claims.take(line, ines, want=1, now=now) == []
    judge(line, noor, "dent", now)
    assert (fresh(item).answer, open_reasons(item)) == ("dent", [])


@pytest.fixture
def twice(line: Line, now: datetime, dial: Callable[..., Any]) -> Any:
    """An item that two people judge blind."""
    dial(Mode.HUMAN_ONLY, audit_rate=1.0, overlap=2)
    return arrive(line, now=now)[0]


def test_two_who_agree_settle_it(line: Line, twice: Any, ines: User, noor: User, now: datetime) -> None:
    judge(line, ines, "dent", now)
    assert (fresh(twice).state, Label.objects.count()) == (ItemState.REFERRED, 0)
    judge(line, noor, "dent", now)
    assert (fresh(twice).answer, Label.objects.get().answer, open_reasons(twice)) == ("dent", "dent", [])


def test_two_who_disagree_have_a_third_decide_blind(
    line: Line, twice: Any, ines: User, noor: User, omar: User, now: datetime
) -> None:
    judge(line, ines, "dent", now)
    judge(line, noor, "ok", now)
    assert (fresh(twice).state, open_reasons(twice), Label.objects.count()) == (ItemState.REFERRED, ["disagreement"], 0)
    disagreement = Referral.objects.get(item=twice, reason="disagreement")
    assert (disagreement.blind, disagreement.wanted) == (True, 1)
    assert claims.take(line, ines, want=1, now=now) == claims.take(line, noor, want=1, now=now) == []
    judge(line, omar, "ok", now)
    assert (fresh(twice).answer, open_reasons(twice), Label.objects.get().answer) == ("ok", [], "ok")


def test_unsure_counts_for_nobody_in_an_overlap(
    line: Line, twice: Any, ines: User, noor: User, omar: User, now: datetime
) -> None:
    judge(line, ines, "", now)
    judge(line, noor, "ok", now)
    assert fresh(twice).state == ItemState.REFERRED
    judge(line, omar, "ok", now)
    assert fresh(twice).answer == "ok"


def test_a_decision_stands_while_two_auditors_disagree(
    line: Line, ines: User, noor: User, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.FULL, audit_rate=1.0, overlap=2)
    (item,) = arrive(line, now=now, says=SURE)
    judge(line, ines, "dent", now)
    judge(line, noor, "ok", now)
    assert (fresh(item).state, decisions(item), open_reasons(item)) == (
        ItemState.DECIDED,
        [("ok", "model")],
        ["disagreement"],
    )


@pytest.mark.parametrize(
    "answer", [{"key": "crack"}, {"key": "ok", "regions": [{"label": "crack"}]}, {"key": "ok", "regions": [{"label": ""}]}]
)
def test_a_class_that_the_line_does_not_have_is_refused_and_the_claim_survives(
    line: Line, ines: User, now: datetime, answer: dict[str, Any]
) -> None:
    (item,) = arrive(line, now=now)
    claim = take(line, ines, now)
    with pytest.raises(BadField, match="no class"):
        say(ines, claim, **answer, now=now)
    assert Claim.objects.get(pk=claim.pk).ended_at is None
    assert not Event.objects.filter(kind="judgement.given").exists()
    say(ines, claim, "ok", now)
    assert fresh(item).answer == "ok"


@pytest.mark.parametrize(
    ("reveal", "asks", "saw", "blind"),
    [
        (Reveal.AFTER, False, False, False),
        (Reveal.AFTER, True, True, False),
        (Reveal.AT_ONCE, False, True, False),
        (Reveal.BLIND, False, False, True),
    ],
)
def test_what_was_seen_is_noted_and_what_may_have_been_seen_is_not_blind(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any], reveal: Reveal, asks: bool, saw: bool, blind: bool
) -> None:
    Line.objects.filter(pk=line.pk).update(reveal=reveal)
    dial(Mode.ASSIST)
    arrive(line, now=now, says=SURE)
    claim = take(line, ines, now)
    if asks:
        claims.reveal(claim.pk, ines, now=now)
    given = say(ines, claim, "ok", now)
    assert (given.saw_prediction, given.blind) == (saw, blind)
    assert Label.objects.get().blind is blind


def test_one_of_two_judges_who_saw_makes_a_label_that_is_not_blind(
    line: Line, ines: User, noor: User, now: datetime, dial: Callable[..., Any]
) -> None:
    Line.objects.filter(pk=line.pk).update(reveal=Reveal.AT_ONCE)
    dial(Mode.ASSIST)
    (item,) = arrive(line, now=now, says=SURE)
    Referral.objects.filter(item=item).update(wanted=2)
    judge(line, ines, "ok", now)
    Line.objects.filter(pk=line.pk).update(reveal=Reveal.BLIND)
    second = judge(line, noor, "ok", now)
    assert (second.blind, Label.objects.get().blind) == (True, False)


def test_an_appeal_is_answered_by_somebody_else_and_the_decision_stands_meanwhile(
    line: Line, ines: User, noor: User, now: datetime
) -> None:
    (item,) = arrive(line, now=now)
    judge(line, ines, "ok", now)
    lifecycle.refer(fresh(item), Reason.APPEAL, blind=True, actor="token:camera", now=now)
    assert fresh(item).answer == "ok"
    given = judge(line, noor, "dent", now)
    assert (given.blind, fresh(item).answer, decisions(item)) == (True, "dent", [("ok", "person"), ("dent", "person")])
    assert list(Label.objects.order_by("sequence").values_list("answer", flat=True)) == ["ok", "dent"]


def test_a_judgement_is_never_edited(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 2, now=now)
    first = judge(line, ines, "ok", now)
    judge(line, ines, "dent", now)
    assert Judgement.objects.get(pk=first.pk).answer == "ok"
    assert Judgement.objects.filter(supersedes=None).count() == 2


def test_two_people_who_contradict_each_other_on_two_questions_need_a_third(
    line: Line, ines: User, noor: User, now: datetime, dial: Callable[..., Any]
) -> None:
    """An audit and an appeal are open at once; whoever answers last must not win by being last."""
    dial(Mode.FULL, audit_rate=1.0)
    (item,) = arrive(line, now=now, says={"ok": 0.97, "scratch": 0.02, "dent": 0.01})
    lifecycle.refer(item, Reason.APPEAL, blind=True, actor="token:camera", now=now, note="look again")
    judge(line, ines, "dent", now + timedelta(seconds=1))
    judge(line, noor, "ok", now + timedelta(seconds=2))
    assert fresh(item).answer == "dent", "stands until a third person has looked"
    assert list(item.referrals.filter(state="open").values_list("reason", flat=True)) == ["disagreement"]
