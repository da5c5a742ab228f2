"""The pages of one person: a claim belongs to the page that shows it, and what another page says late changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from gateway.models import Referral, ReferralState
from policies.models import Line
from review import claims, left_pages
from review.errors import ClaimLost
from review.models import Claim, ClaimEnd, Judgement, LeftPage
from tests.review.people import arrive, fresh, say, take

SECOND = timedelta(seconds=1)


def test_a_reloaded_page_goes_on_with_what_its_person_held(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    mine = claims.take(line, ines, page="old", want=2, now=now)
    theirs = take(line, noor, now)
    adopted = claims.adopt(line, ines, page="new", now=now + SECOND)
    assert adopted == mine
    assert {(one.page, one.expires_at) for one in adopted} == {("new", now + SECOND + claims.lease())}
    theirs.refresh_from_db()
    assert (theirs.page, theirs.expires_at) == ("", now + claims.lease())


def test_a_release_that_comes_after_the_reload_changes_nothing(line: Line, ines: User, noor: User, now: datetime) -> None:
    items = arrive(line, 2, now=now)
    held = [claim.pk for claim in claims.take(line, ines, page="old", want=2, now=now)]
    claims.adopt(line, ines, page="new", now=now)
    assert claims.leave_page(ines, page="old", now=now) == 0
    assert claims.take(line, noor, want=1, now=now) == []
    say(ines, Claim(pk=held[0]), "ok", now)
    assert fresh(items[0]).answer == "ok"


def test_a_page_that_is_left_gives_back_what_is_its_own(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, 2, now=now)
    (first,) = claims.take(line, ines, page="first", want=1, now=now)
    (second,) = claims.take(line, ines, page="second", want=1, now=now)
    assert claims.leave_page(ines, page="first", now=now) == 1
    assert take(line, noor, now).referral == first.referral
    second.refresh_from_db()
    assert second.end == ""


def test_a_page_that_is_left_takes_nothing_any_more(line: Line, ines: User, noor: User, now: datetime) -> None:
    arrive(line, 2, now=now)
    claims.leave_page(ines, page="left", now=now)
    claims.leave_page(ines, page="left", now=now)
    assert claims.take(line, ines, page="left", want=1, now=now) == []
    (other,) = claims.take(line, ines, page="stays", want=1, now=now)
    assert claims.adopt(line, ines, page="left", now=now) == [], "nor does it take over what another page has"
    assert claims.keep([other.pk], ines, page="stays", now=now).held == {other.pk}
    assert claims.take(line, noor, page="left", want=1, now=now), "a name is one person's"


def test_what_is_still_to_be_answered_outlives_its_page(line: Line, ines: User, now: datetime) -> None:
    items = arrive(line, 2, now=now)
    answered, shown = claims.take(line, ines, page="left", want=2, now=now)
    assert claims.leave_page(ines, page="left", kept=[answered.pk], now=now) == 1
    shown.refresh_from_db()
    assert shown.end == ClaimEnd.RELEASED
    say(ines, answered, "dent", now)
    assert fresh(items[0]).answer == "dent"


def test_a_page_is_forgotten_when_nothing_of_it_can_be_on_its_way(line: Line, ines: User, now: datetime) -> None:
    for age in (timedelta(0), left_pages.REMEMBERED, left_pages.REMEMBERED + SECOND):
        claims.leave_page(ines, page=f"left {age}", now=now - age)
    assert left_pages.forget(now=now) == 1
    assert LeftPage.objects.count() == 2


def test_a_heartbeat_tells_which_claims_another_tab_took_over(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    first, second, ended = (claim.pk for claim in claims.take(line, ines, page="old", want=3, now=now))
    claims.skip(ended, ines, now=now)
    claims.adopt(line, ines, page="new", now=now)
    asked = [first, second, ended]
    assert claims.keep(asked, ines, page="old", now=now + SECOND) == (set(), {first, second})
    assert set(Claim.objects.filter(ended_at=None).values_list("expires_at", flat=True)) == {now + claims.lease()}
    assert claims.keep(asked, ines, page="new", now=now + SECOND) == ({first, second}, set())


def test_an_answer_in_the_first_tab_counts_and_the_second_tab_learns_of_it(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    (claim,) = claims.take(line, ines, page="first", want=1, now=now)
    claims.adopt(line, ines, page="second", now=now)
    say(ines, claim, "dent", now)
    assert fresh(item).answer == "dent"
    assert claims.keep([claim.pk], ines, page="second", now=now) == (set(), set())
    with pytest.raises(ClaimLost, match="answered already"):
        say(ines, claim, "ok", now)
    assert Judgement.objects.get().answer == "dent"


def test_two_tabs_take_over_from_each_other_and_hold_no_more_than_one_may(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 9, now=now)
    first = claims.take(line, ines, page="first", want=3, now=now)
    assert len(claims.take(line, ines, page="second", want=3, now=now)) == claims.MOST_HELD - len(first)
    assert claims.take(line, ines, page="second", want=1, now=now) == []
    for page in ("second", "first"):
        assert {claim.page for claim in claims.adopt(line, ines, page=page, now=now)} == {page}
    assert Claim.objects.filter(ended_at=None, page="first").count() == claims.MOST_HELD


def test_what_is_over_is_not_taken_over(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    skipped, settled, held = claims.take(line, ines, page="old", want=3, now=now)
    claims.skip(skipped.pk, ines, now=now)
    Referral.objects.filter(pk=settled.referral_id).update(state=ReferralState.CANCELLED)
    assert claims.adopt(line, ines, page="new", now=now) == [held]
    skipped.refresh_from_db()
    assert (skipped.page, skipped.end) == ("old", ClaimEnd.SKIPPED)


def test_another_line_is_another_desk(line: Line, other_line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    claims.take(line, ines, page="phones", want=1, now=now)
    assert claims.adopt(other_line, ines, page="other", now=now) == []
    assert claims.leave_page(ines, page="phones", now=now) == 1
