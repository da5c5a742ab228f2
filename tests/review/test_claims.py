"""Leases: taken, kept, given back, lost; and the fence behind which a late answer stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from gateway.models import Event, Item, ItemState, Referral, ReferralState
from policies.models import Line
from review import claims, tasks
from review.errors import ClaimLost
from review.models import Claim, ClaimEnd, Judgement
from tests.review.people import arrive, fresh, judge, say, take

SECOND = timedelta(seconds=1)
LATER = timedelta(seconds=61)
NOTHING = claims.Kept(set(), set())


def test_a_claim_is_mine_alone(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    claim = take(line, ines, now)
    assert (claim.referral.item, claim.expires_at) == (item, now + timedelta(seconds=60))
    assert claims.take(line, noor, want=1, now=now) == []
    assert Event.objects.filter(item=item, kind="referral.claimed", actor="user:ines").count() == 1


@override_settings(CLAIM_SECONDS=10)
def test_a_heartbeat_keeps_a_claim(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)
    assert claims.keep([claim.pk], ines, now=now + 9 * SECOND).held == {claim.pk}
    assert claims.expire(now=now + 18 * SECOND) == 0
    assert claims.take(line, noor, want=1, now=now + 18 * SECOND) == []
    assert claims.expire(now=now + 19 * SECOND) == 1


def test_a_heartbeat_keeps_only_what_is_mine_and_open(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    kept, ended = claims.take(line, ines, want=2, now=now)
    theirs = take(line, noor, now)
    claims.leave_page(ines, kept=[kept.pk], now=now)
    assert claims.keep([kept.pk, ended.pk, theirs.pk, 10**6], ines, now=now + SECOND) == ({kept.pk}, set())
    theirs.refresh_from_db()
    assert theirs.expires_at == now + claims.lease(), "nobody keeps another's claim alive"


def test_a_closed_laptop_gives_back_what_it_held(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    lost = take(line, ines, now)
    assert take(line, noor, now + LATER).referral.item == item
    lost.refresh_from_db()
    assert (lost.end, lost.ended_at) == (ClaimEnd.EXPIRED, now + LATER)
    assert claims.keep([lost.pk], ines, now=now + LATER) == NOTHING


def test_what_is_given_back_is_free_at_once(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)
    assert claims.leave_page(noor, now=now) == 0, "only I can give back what is mine"
    assert claims.leave_page(ines, now=now) == 1
    assert claims.leave_page(ines, now=now) == 0
    assert take(line, noor, now).referral == claim.referral
    assert claims.take(line, ines, want=1, now=now) == []


def test_given_back_is_not_skipped(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    take(line, ines, now)
    claims.leave_page(ines, now=now)
    assert take(line, ines, now)


def test_skipping_leaves_an_event_and_is_done_once(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    claim = take(line, ines, now)
    with pytest.raises(ClaimLost):
        claims.skip(claim.pk, noor, now=now)
    claims.skip(claim.pk, ines, now=now)
    with pytest.raises(ClaimLost, match="skipped"):
        claims.skip(claim.pk, ines, now=now)
    assert Event.objects.filter(item=item, kind="referral.skipped").count() == 1


def test_a_late_answer_after_takeover_is_refused_and_says_who_has_it(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    late = take(line, ines, now)
    take(line, noor, now + LATER)
    with pytest.raises(ClaimLost, match="noor has it now") as refused:
        say(ines, late, "ok", now + LATER)
    assert (refused.value.status, refused.value.code) == (409, "claim-lost")
    assert (Judgement.objects.count(), fresh(item).state) == (0, ItemState.REFERRED)


def test_a_late_answer_after_an_answer_says_who_judged(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    late = take(line, ines, now)
    say(noor, take(line, noor, now + LATER), "dent", now + LATER)
    with pytest.raises(ClaimLost, match="noor has judged it"):
        say(ines, late, "ok", now + LATER)
    assert fresh(item).answer == "dent"


def test_a_claim_that_ran_out_and_that_nobody_took_may_still_answer(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    claim = take(line, ines, now)
    say(ines, claim, "ok", now + 10 * LATER)
    assert fresh(item).answer == "ok"


def test_a_claim_that_was_swept_can_no_longer_answer(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)
    claims.expire(now=now + LATER)
    with pytest.raises(ClaimLost, match="had ended"):
        say(ines, claim, "ok", now + LATER)


def test_nobody_answers_under_the_claim_of_somebody_else(line: Line, ines: User, noor: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    claim = take(line, ines, now)
    with pytest.raises(ClaimLost, match="not yours"):
        say(noor, claim, "ok", now)
    say(ines, claim, "dent", now)
    assert fresh(item).answer == "dent"


def test_nobody_answers_under_a_claim_that_never_was(ines: User, now: datetime) -> None:
    with pytest.raises(ClaimLost, match="not yours"):
        say(ines, Claim(pk=987), "ok", now)


def test_a_question_settled_meanwhile_takes_no_answer_and_does_not_come_again(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    claim = take(line, ines, now)
    Referral.objects.filter(pk=claim.referral_id).update(state=ReferralState.CANCELLED, settled_at=now)
    with pytest.raises(ClaimLost, match="settled meanwhile"):
        say(ines, claim, "ok", now)
    assert not Judgement.objects.exists()
    assert claims.adopt(line, ines, now=now) == []
    assert claims.keep([claim.pk], ines, now=now) == NOTHING
    assert fresh(item).state == ItemState.REFERRED


def test_a_dead_claim_does_not_use_up_my_room(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 8, now=now)
    held = claims.take(line, ines, want=4, now=now)
    Referral.objects.filter(claims__in=held).update(state=ReferralState.CANCELLED)
    assert len(claims.take(line, ines, want=4, now=now)) == 4


def test_an_answered_claim_is_over(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    given = judge(line, ines, "ok", now)
    assert claims.keep([given.claim_id], ines, now=now) == NOTHING
    with pytest.raises(ClaimLost, match="answered already"):
        say(ines, given.claim, "dent", now)
    assert Item.objects.get().answer == "ok"


def test_the_clock_gives_back_what_people_who_are_gone_had_claimed(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, 2, now=now)
    here, gone = take(line, noor, now), take(line, ines, now - LATER)
    assert tasks.expire_claims() == 1
    assert set(Claim.objects.filter(ended_at=None)) == {here} and Claim.objects.get(pk=gone.pk).end == ClaimEnd.EXPIRED
