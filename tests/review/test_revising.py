"""Undo: a reviewer's last answers can be replaced, and everything that had followed from them follows the new one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway import lifecycle
from gateway.errors import BadField
from gateway.models import DecidedBy, Decision, Event, Item, ItemState, Referral, ReferralState
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from review import claims
from review.errors import ClaimLost, NotRevisable
from review.models import Judgement, Label
from review.undoing import LAST, last_judgements
from tests.review.people import arrive, change, fresh, judge, open_reasons, say, take

SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}


def feed() -> list[tuple[str, int | None]]:
    """The labels in their order, each with the sequence of the one it supersedes."""
    return list(Label.objects.order_by("sequence").values_list("answer", "supersedes__sequence"))


def test_a_revision_supersedes_judgement_decision_and_label(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    old = judge(line, ines, "ok", now, active_ms=900)
    new = change(ines, old, "dent", now, regions=[{"label": "dent"}], comment="oops", active_ms=100)

    assert (new.supersedes, new.claim_id, new.referral_id, new.blind) == (old, old.claim_id, old.referral_id, True)
    assert (new.comment, new.regions, new.active_ms) == ("oops", [{"label": "dent"}], 100)
    assert Judgement.objects.get(pk=old.pk).answer == "ok", "the old one stays as it was"
    assert fresh(item).answer == "dent"
    assert list(Decision.objects.order_by("number").values_list("answer", flat=True)) == ["ok", "dent"]
    assert feed() == [("ok", None), ("dent", 1)]
    assert Referral.objects.get().state == ReferralState.SETTLED
    assert Event.objects.get(kind="judgement.revised").data["was"] == "ok"


def test_a_chain_of_revisions_ends_with_the_last(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    given = judge(line, ines, "ok", now)
    for answer in ("dent", "", "scratch", "ok"):
        given = change(ines, given, answer, now)
    assert (fresh(item).state, fresh(item).answer) == (ItemState.DECIDED, "ok")
    assert feed() == [("ok", None), ("dent", 1), ("", 2), ("scratch", 3), ("ok", 4)]
    assert last_judgements(ines, line) == [given]


def test_the_same_answer_again_changes_only_what_goes_with_it(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    change(ines, judge(line, ines, "dent", now), "dent", now, regions=[{"label": "dent"}])
    assert (fresh(item).answer, fresh(item).revision, Decision.objects.count()) == ("dent", 1, 1)
    assert Label.objects.get(superseded_by=None).regions == [{"label": "dent"}]


def test_to_unsure_gives_the_item_back_to_others(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    change(ines, judge(line, ines, "ok", now), "", now)
    assert (fresh(item).state, fresh(item).answer, fresh(item).decided_at) == (ItemState.REFERRED, "", None)
    assert open_reasons(item) == ["human_only"]
    assert feed() == [("ok", None), ("", 1)]
    assert claims.take(line, ines, want=1, now=now) == []
    judge(line, noor, "dent", now)
    assert fresh(item).answer == "dent"
    assert list(Decision.objects.order_by("number").values_list("answer", flat=True)) == ["ok", "dent"]


def test_from_unsure_settles_the_open_question(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    change(ines, judge(line, ines, "", now), "dent", now)
    assert (fresh(item).answer, open_reasons(item), feed()) == ("dent", [], [("dent", None)])


def test_somebody_who_claimed_the_question_meanwhile_is_told(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    old = judge(line, ines, "", now)
    claim = take(line, noor, now)
    change(ines, old, "dent", now)
    with pytest.raises(ClaimLost, match="settled meanwhile"):
        say(noor, claim, "ok", now)
    assert fresh(item).answer == "dent"


@pytest.mark.parametrize(
    ("then", "answer", "decided_by", "labels"),
    [
        ("scratch", "scratch", DecidedBy.PERSON, [("ok", None), ("scratch", 1)]),
        # The model's decision stands as it did before anybody looked; that nobody vouches for it any more goes into the feed.
        ("", "ok", DecidedBy.MODEL, [("ok", None), ("", 1)]),
    ],
)
def test_a_confirmed_audit_can_be_revised(
    line: Line,
    ines: User,
    now: datetime,
    dial: Callable[..., Any],
    then: str,
    answer: str,
    decided_by: str,
    labels: list[tuple[str, int | None]],
) -> None:
    dial(Mode.FULL, audit_rate=1.0)
    (item,) = arrive(line, now=now, says=SURE)
    change(ines, judge(line, ines, "ok", now), then, now)
    assert (fresh(item).answer, fresh(item).decided_by, feed()) == (answer, decided_by, labels)
    assert open_reasons(item) == ([] if then else ["audit"])


def test_a_correction_of_the_model_taken_back_lets_the_models_decision_stand_again(
    line: Line, ines: User, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.FULL, audit_rate=1.0)
    (item,) = arrive(line, now=now, says=SURE)
    change(ines, judge(line, ines, "dent", now), "", now)
    assert (fresh(item).state, open_reasons(item), feed()) == (ItemState.DECIDED, ["audit"], [("dent", None), ("", 1)])
    decisions = Decision.objects.filter(item=item).order_by("number").values_list("answer", "decided_by")
    assert list(decisions) == [("ok", "model"), ("dent", "person"), ("ok", "model")]
    assert Event.objects.filter(item=item, kind="decision.superseded", from_state="dent", actor="user:ines").exists()


@pytest.mark.parametrize(
    ("first", "labels"),
    [("ok", [("ok", None), ("ok", 1), ("", 2)]), ("", [("ok", None)])],
)
def test_an_answer_to_an_appeal_taken_back_leaves_the_earlier_decision(
    line: Line, ines: User, noor: User, now: datetime, first: str, labels: list[tuple[str, int | None]]
) -> None:
    (item,) = arrive(line, now=now)
    judge(line, noor, "ok", now)
    lifecycle.refer(fresh(item), Reason.APPEAL, blind=True, actor="test", now=now)
    change(ines, judge(line, ines, first, now), "", now)
    assert (fresh(item).state, fresh(item).answer, open_reasons(item)) == (ItemState.DECIDED, "ok", ["appeal"])
    assert feed() == labels


@pytest.fixture
def twice(line: Line, now: datetime, dial: Callable[..., Any]) -> Item:
    """An item that two people judge blind."""
    dial(Mode.HUMAN_ONLY, audit_rate=1.0, overlap=2)
    return arrive(line, now=now)[0]


def test_who_gives_in_cancels_the_disagreement(line: Line, twice: Item, ines: User, noor: User, now: datetime) -> None:
    mine = judge(line, ines, "dent", now)
    judge(line, noor, "ok", now)
    change(ines, mine, "ok", now)
    assert (fresh(twice).answer, open_reasons(twice), feed()) == ("ok", [], [("ok", None)])
    assert Referral.objects.get(reason="disagreement").state == ReferralState.CANCELLED


def test_who_still_disagrees_opens_it_anew(line: Line, twice: Item, ines: User, noor: User, omar: User, now: datetime) -> None:
    mine = judge(line, ines, "dent", now)
    judge(line, noor, "ok", now)
    claim = take(line, omar, now)
    change(ines, mine, "scratch", now)
    assert open_reasons(twice) == ["disagreement"]
    with pytest.raises(ClaimLost):
        say(omar, claim, "ok", now)
    judge(line, omar, "ok", now)
    assert fresh(twice).answer == "ok"


def test_who_becomes_unsure_asks_for_another_second_person(
    line: Line, twice: Item, ines: User, noor: User, omar: User, now: datetime
) -> None:
    mine = judge(line, ines, "dent", now)
    judge(line, noor, "ok", now)
    change(ines, mine, "", now)
    assert open_reasons(twice) == [twice.reason]
    judge(line, omar, "ok", now)
    assert fresh(twice).answer == "ok"


def test_who_changes_after_an_agreement_takes_it_back(line: Line, twice: Item, ines: User, noor: User, now: datetime) -> None:
    mine = judge(line, ines, "ok", now)
    judge(line, noor, "ok", now)
    change(ines, mine, "dent", now)
    assert (fresh(twice).state, open_reasons(twice)) == (ItemState.REFERRED, ["disagreement"])
    assert feed() == [("ok", None), ("", 1)]


def test_after_somebody_else_built_on_it_it_stands(
    line: Line, twice: Item, ines: User, noor: User, omar: User, now: datetime
) -> None:
    mine = judge(line, ines, "dent", now)
    judge(line, noor, "ok", now)
    judge(line, omar, "ok", now)
    with pytest.raises(NotRevisable, match="Somebody else"):
        change(ines, mine, "ok", now)
    assert Judgement.objects.count() == 3


def test_after_people_were_asked_again_for_the_same_reason_it_stands(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    judge(line, noor, "ok", now)
    lifecycle.refer(fresh(item), Reason.APPEAL, blind=True, actor="test", now=now)
    mine = judge(line, ines, "dent", now)
    lifecycle.refer(fresh(item), Reason.APPEAL, blind=True, actor="test", now=now)
    with pytest.raises(NotRevisable, match="again"):
        change(ines, mine, "ok", now)


def test_only_the_last_ten_of_the_line(line: Line, other_line: Line, ines: User, now: datetime) -> None:
    arrive(line, LAST + 1, now=now)
    given = [judge(line, ines, "ok", now) for _ in range(LAST + 1)]
    arrive(other_line, now=now)
    judge(other_line, ines, "fine", now)
    with pytest.raises(NotRevisable, match="last 10"):
        change(ines, given[0], "dent", now)
    assert change(ines, given[1], "dent", now).answer == "dent"
    assert [one.pk for one in last_judgements(ines, line)][1:] == [one.pk for one in reversed(given[2:])]


@pytest.mark.parametrize(("minutes", "allowed"), [(29, True), (31, False)])
def test_only_for_half_an_hour(line: Line, ines: User, now: datetime, minutes: int, allowed: bool) -> None:
    (item,) = arrive(line, now=now)
    old = judge(line, ines, "ok", now)
    if allowed:
        change(ines, old, "dent", now + timedelta(minutes=minutes))
    else:
        with pytest.raises(NotRevisable, match="30 minutes"):
            change(ines, old, "dent", now + timedelta(minutes=minutes))
    assert fresh(item).answer == ("dent" if allowed else "ok")


def test_only_my_own(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, now=now)
    old = judge(line, ines, "ok", now)
    with pytest.raises(NotRevisable, match="not an answer of yours"):
        change(noor, old, "dent", now)
    with pytest.raises(NotRevisable):
        change(ines, Judgement(pk=10**6), "dent", now)


def test_only_what_stands(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    old = judge(line, ines, "ok", now)
    change(ines, old, "dent", now)
    with pytest.raises(NotRevisable):
        change(ines, old, "scratch", now)
    assert fresh(item).answer == "dent"


def test_not_to_a_class_that_the_line_does_not_have(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    old = judge(line, ines, "ok", now)
    with pytest.raises(BadField, match="no class"):
        change(ines, old, "crack", now)
    assert (fresh(item).answer, last_judgements(ines, line)) == ("ok", [old])


def test_what_was_seen_stays_seen(line: Line, ines: User, now: datetime, dial: Callable[..., Any]) -> None:
    dial(Mode.ASSIST)
    arrive(line, now=now, says=SURE)
    claim = take(line, ines, now)
    claims.reveal(claim.pk, ines, now=now)
    new = change(ines, say(ines, claim, "ok", now), "dent", now)
    assert new.saw_prediction and not Label.objects.get(superseded_by=None).blind
