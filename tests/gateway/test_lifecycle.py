"""An item's moves: settled, superseded, held, reopened. Every move leaves an event with from, to and who."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway import lifecycle, tasks
from gateway.errors import AlreadyOpen, MovedMeanwhile
from gateway.models import Decision, Event, Item, Referral
from policies.decide import Reason
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.conftest import Model, uuid_of

Dial = Callable[..., PolicyVersion]
Post = Callable[..., dict[str, Any]]


@pytest.fixture
def waiting(post: Post, line: Line) -> Item:
    """An item that waits for people."""
    return Item.objects.get(pk=uuid_of(post()))


@pytest.fixture
def passed(post: Post, dial: Dial, model: Model) -> Item:
    """An item that the model passed."""
    dial(Mode.FULL)
    return Item.objects.get(pk=uuid_of(post()))


def moves(item: Item) -> list[tuple[str, str, str, str]]:
    """Return what happened to the item, its arrival left out."""
    events = Event.objects.filter(item=item).order_by("id")[1:]
    return [(one.kind, one.from_state, one.to_state, one.actor) for one in events]


def decisions(item: Item) -> list[tuple[int, str, str]]:
    return list(Decision.objects.filter(item=item).values_list("number", "answer", "decided_by"))


def settle(item: Item, answer: str, user: User, now: datetime) -> Item:
    return lifecycle.settle(item.pk, answer, user=user, reason=Reason(item.reason), now=now)


def test_arrival_leaves_an_event(waiting: Item, passed: Item, post: Post) -> None:
    arrivals = Event.objects.filter(item__isnull=False).order_by("id")
    assert [(one.kind, one.from_state, one.to_state, one.actor, one.reason) for one in arrivals] == [
        ("item.referred", "received", "referred", "policy:v1", "human_only"),
        ("item.decided", "received", "ok", "model:inspection-test-1", "full"),
    ]
    assert arrivals[1].data == {"policy": 2, "audit": False, "source": "camera", "model": "inspection-test-1"}


def test_people_decide_a_waiting_item(waiting: Item, ines: User, now: datetime) -> None:
    item = settle(waiting, "dent", ines, now)
    item.refresh_from_db()
    assert (item.state, item.answer, item.decided_by, item.decided_at, item.revision) == ("decided", "dent", "person", now, 1)
    assert decisions(item) == [(1, "dent", "person")]
    assert item.decisions.get().user == ines
    assert moves(item) == [("item.decided", "referred", "dent", "user:ines")]


def test_people_who_agree_confirm_and_decide_nothing_anew(passed: Item, ines: User, now: datetime) -> None:
    item = settle(passed, "ok", ines, now)
    item.refresh_from_db()
    assert (item.decided_by, item.revision, decisions(item)) == ("model", 1, [(1, "ok", "model")])
    assert moves(item) == [("decision.confirmed", "ok", "ok", "user:ines")]


def test_people_who_disagree_supersede_and_the_old_decision_stays(passed: Item, ines: User, noor: User, now: datetime) -> None:
    settle(passed, "scratch", ines, now)
    item = settle(passed, "dent", noor, now)
    item.refresh_from_db()
    assert (item.answer, item.decided_by, item.revision) == ("dent", "person", 3)
    assert decisions(item) == [(1, "ok", "model"), (2, "scratch", "person"), (3, "dent", "person")]
    assert moves(item) == [
        ("decision.superseded", "ok", "scratch", "user:ines"),
        ("decision.superseded", "scratch", "dent", "user:noor"),
    ]


def test_a_decision_has_its_number_to_itself(passed: Item) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            item=passed, number=1, answer="dent", decided_by="person", policy=passed.policy, reason="full",
            created_at=passed.received_at,
        )  # fmt: skip


def test_a_persons_decision_is_taken_back_without_giving_another(waiting: Item, ines: User, now: datetime) -> None:
    settle(waiting, "dent", ines, now)
    item = lifecycle.take_back(waiting.pk, user=ines, reason="undo", now=now)
    item.refresh_from_db()
    assert (item.state, item.answer, item.decided_by, item.decided_at) == ("referred", "", "", None)
    assert moves(item)[-1] == ("item.reopened", "dent", "referred", "user:ines")
    assert lifecycle.take_back(waiting.pk, user=ines, reason="undo", now=now).revision == item.revision
    assert len(moves(item)) == 2

    settle(waiting, "ok", ines, now)
    assert decisions(item) == [(1, "dent", "person"), (3, "ok", "person")]
    assert moves(item)[-1] == ("item.decided", "referred", "ok", "user:ines")


def test_who_was_overtaken_is_told(waiting: Item, now: datetime) -> None:
    """Compare-and-set: a move from a revision that is no longer the item's fails, and nothing is written."""
    stale = Item.objects.get(pk=waiting.pk)
    lifecycle._move(waiting, now=now, state="held")
    with pytest.raises(MovedMeanwhile):
        lifecycle._move(stale, now=now, state="decided", answer="ok")
    stale.refresh_from_db()
    assert (stale.state, stale.revision) == ("held", 1)


@pytest.fixture
def overdue(dial: Dial, post: Post) -> Callable[[str], Item]:
    """Return a maker of items past their due time, under a policy with this fail-safe."""

    def make(fail_safe: str) -> Item:
        dial(Mode.HUMAN_ONLY, due_seconds=60, fail_safe=fail_safe)
        item = Item.objects.get(pk=uuid_of(post()))
        Referral.objects.filter(item=item).update(due_at=item.received_at - timedelta(seconds=1))
        return item

    return make


def test_an_item_is_due_after_the_policys_time(dial: Dial, post: Post, line: Line) -> None:
    assert Referral.objects.get(item=post()["id"]).due_at is None
    dial(Mode.HUMAN_ONLY, due_seconds=90)
    referral = Referral.objects.get(item=post(seed=1)["id"])
    assert referral.due_at - referral.created_at == timedelta(seconds=90)


def test_the_fail_safe_may_reject(overdue: Callable[[str], Item]) -> None:
    item = overdue("dent")
    assert tasks.apply_fail_safes() == 1
    item.refresh_from_db()
    assert (item.state, item.answer, item.decided_by) == ("decided", "dent", "fail_safe")
    assert moves(item) == [("item.decided", "referred", "dent", "system:deadline")]
    assert Referral.objects.get(item=item).state == "open", "people may still correct it"
    assert tasks.apply_fail_safes() == 0


def test_the_fail_safe_may_hold(overdue: Callable[[str], Item], ines: User, now: datetime) -> None:
    item = overdue("hold")
    assert tasks.apply_fail_safes() == 1
    item.refresh_from_db()
    assert (item.state, item.answer) == ("held", "")
    assert moves(item) == [("item.held", "referred", "held", "system:deadline")]
    assert tasks.apply_fail_safes() == 0
    settle(item, "ok", ines, now)
    item.refresh_from_db()
    assert (item.state, item.answer) == ("decided", "ok")
    assert moves(item)[-1] == ("item.decided", "held", "ok", "user:ines")


def test_the_fail_safe_comes_not_a_moment_too_soon(overdue: Callable[[str], Item]) -> None:
    item = overdue("dent")
    Referral.objects.filter(item=item).update(due_at=item.received_at + timedelta(hours=1))
    assert tasks.apply_fail_safes() == 0
    item.refresh_from_db()
    assert item.state == "referred"


def test_the_fail_safe_leaves_what_is_decided_alone(passed: Item, now: datetime) -> None:
    assert lifecycle.fail_safe(passed.pk, now=now).answer == "ok"
    assert moves(passed) == []


@pytest.mark.parametrize("fail_safe", ["hold", "scratch", "dent"])
def test_the_fail_safe_never_passes_an_item(overdue: Callable[[str], Item], fail_safe: str) -> None:
    item = overdue(fail_safe)
    tasks.apply_fail_safes()
    item.refresh_from_db()
    assert item.answer != "ok"
    assert item.state != "referred"


def test_a_referral_is_closed_once(waiting: Item, now: datetime) -> None:
    referral = Referral.objects.get(item=waiting)
    stale = Referral.objects.get(item=waiting)
    lifecycle.close_referral(referral, actor="user:ines", now=now)
    with pytest.raises(MovedMeanwhile, match="no longer open"):
        lifecycle.close_referral(stale, actor="user:noor", now=now)
    referral.refresh_from_db()
    assert (referral.state, referral.settled_at) == ("settled", now)
    assert moves(waiting) == [("referral.settled", "open", "settled", "user:ines")]


def test_a_referral_may_be_cancelled(waiting: Item, now: datetime) -> None:
    referral = Referral.objects.get(item=waiting)
    lifecycle.close_referral(referral, actor="user:ines", now=now, cancel=True)
    referral.refresh_from_db()
    assert referral.state == "cancelled"
    with pytest.raises(MovedMeanwhile, match="not settled"):
        lifecycle.reopen_referral(referral, actor="user:ines", now=now)


def test_a_settled_referral_goes_back_into_the_queue(waiting: Item, now: datetime) -> None:
    referral = Referral.objects.get(item=waiting)
    lifecycle.close_referral(referral, actor="user:ines", now=now)
    lifecycle.reopen_referral(referral, actor="user:ines", now=now)
    referral.refresh_from_db()
    assert (referral.state, referral.settled_at) == ("open", None)
    assert moves(waiting)[-1] == ("referral.reopened", "settled", "open", "user:ines")


def test_people_are_asked_once_a_reason(passed: Item, now: datetime) -> None:
    lifecycle.refer(passed, Reason.RECALL, blind=False, actor="user:max", now=now, note="batch 7")
    lifecycle.refer(passed, Reason.APPEAL, blind=True, actor="token:camera", now=now)
    with pytest.raises(AlreadyOpen, match="recall"):
        lifecycle.refer(passed, Reason.RECALL, blind=False, actor="user:max", now=now)
    assert sorted(Referral.objects.filter(item=passed).values_list("reason", flat=True)) == ["appeal", "recall"]
    passed.refresh_from_db()
    assert (passed.state, passed.answer) == ("decided", "ok")


def test_an_audited_item_gets_the_judgements_its_policy_wants(dial: Dial, post: Post, model: Model) -> None:
    dial(Mode.FULL, audit_rate=1.0, overlap=3)
    assert Referral.objects.get(item=post()["id"]).wanted == 3
    dial(Mode.ASSIST, audit_rate=0.0, overlap=3)
    assert Referral.objects.get(item=post(seed=1)["id"]).wanted == 1


def test_the_probability_of_an_audit_is_kept(dial: Dial, post: Post, model: Model) -> None:
    dial(Mode.FULL, audit_rate=0.999999)
    assert Referral.objects.get(item=post()["id"]).probability == 0.999999
    dial(Mode.SHADOW, audit_rate=0.5)
    assert Referral.objects.get(item=post(seed=1)["id"]).probability == 1.0


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "lost"}, "item_state_is_known"),
        ({"state": "decided", "answer": ""}, "a_decided_item_has_an_answer"),
        ({"draw": 1.0}, "draw_is_in_the_unit_interval"),
    ],
)
def test_the_database_refuses_an_item_that_cannot_be(waiting: Item, values: dict[str, Any], name: str) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Item.objects.filter(pk=waiting.pk).update(**values)
