"""Many inspectors, one queue, a real database file: every referral is claimed and answered exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from gateway.models import Decision, Event, Item, ItemState, Referral, ReferralState
from policies.models import Line
from review import claims
from review.errors import ClaimLost
from review.models import Claim, ClaimEnd, Judgement, Label
from tests.races import race
from tests.review.people import arrive, say, take

pytestmark = pytest.mark.usefixtures("file_database")


def everybody(number: int) -> list[User]:
    """So many people who judge; the verbs ask for no role, the pages do."""
    return [User.objects.create(username=f"inspector-{place}") for place in range(number)]


def test_two_inspectors_never_get_the_same_referral(line: Line, now: datetime) -> None:
    people = everybody(6)
    arrive(line, 20, now=now)

    results = race(*(lambda who=who: claims.take(line, who, want=4, now=now) for who in people))

    assert not [one for one in results if isinstance(one, Exception)]
    # Where rows are locked, what somebody was about to take is passed over; the next look finds it.
    again = [claims.take(line, who, want=4, now=now) for who in people]
    taken = [claim.referral_id for found in [*results, *again] for claim in found]
    assert len(taken) == len(set(taken)) == 20 and max(map(len, results)) == claims.MOST_HELD
    assert Claim.objects.filter(ended_at=None).count() == 20


def test_two_tabs_of_one_person_hold_no_more_than_one_may(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 20, now=now)

    results = race(*(lambda page=page: claims.take(line, ines, page=page, want=4, now=now) for page in "abcd"))

    assert not [one for one in results if isinstance(one, Exception)], results
    assert sum(map(len, results)) == Claim.objects.filter(ended_at=None).count() == claims.MOST_HELD


def test_a_reload_and_the_release_of_the_old_page_at_one_moment(line: Line, ines: User, now: datetime) -> None:
    """Whichever comes first: what the new page shows is held by it."""
    arrive(line, 4, now=now)
    claims.take(line, ines, page="old", want=4, now=now)

    def reload() -> list[Claim]:
        adopted = claims.adopt(line, ines, page="new", now=now)
        return adopted + claims.take(line, ines, page="new", want=4 - len(adopted), now=now)

    shown, _ = race(reload, lambda: claims.leave_page(ines, page="old", now=now))

    assert shown and set(Claim.objects.filter(ended_at=None, page="new")) == set(shown)


def test_a_page_that_is_left_while_its_question_is_on_its_way_holds_nothing(line: Line, ines: User, now: datetime) -> None:
    """Whichever comes first."""
    arrive(line, 8, now=now)

    def ask() -> None:
        claims.take(line, ines, page="left", want=2, now=now)

    race(ask, lambda: claims.leave_page(ines, page="left", now=now), ask)

    assert not Claim.objects.filter(ended_at=None).exists()


def test_a_queue_worked_off_by_many_is_answered_exactly_once(line: Line, now: datetime) -> None:
    people = everybody(4)
    arrive(line, 24, now=now)

    def work(who: User) -> int:
        done = 0
        while found := claims.take(line, who, want=2, now=now):
            for claim in found:
                say(who, claim, "ok", now)
                done += 1
        return done

    results = race(*(lambda who=who: work(who) for who in people))

    assert not [one for one in results if isinstance(one, Exception)], results
    assert sum(results) == 24
    assert Item.objects.filter(state=ItemState.DECIDED).count() == 24
    judged = Counter(Judgement.objects.values_list("item_id", flat=True))
    assert set(judged.values()) == {1} and len(judged) == 24
    assert not Claim.objects.filter(ended_at=None).exists(), "nobody sits on a question that is settled"
    assert not Referral.objects.exclude(state=ReferralState.SETTLED).exists()
    assert sorted(Label.objects.values_list("sequence", flat=True)) == list(range(1, 25))
    assert Event.objects.filter(kind="item.decided").count() == 24


def test_late_answer_and_takeover_at_one_moment_end_with_one_of_them(line: Line, ines: User, noor: User, now: datetime) -> None:
    """The claim ran out: either the late answer still counts, or the other has the item and the answer is refused."""
    later = now + timedelta(seconds=61)
    arrive(line, 8, now=now)
    late = [Claim(pk=one.pk) for one in claims.take(line, ines, want=4, now=now)]

    def takeover() -> list[Claim]:
        return claims.take(line, noor, want=4, now=later)

    *answers, taken = race(*(lambda claim=claim: say(ines, claim, "dent", later) for claim in late), takeover)

    given = {one.referral_id for one in answers if isinstance(one, Judgement)}
    assert all(isinstance(one, Judgement | ClaimLost) for one in answers), answers
    assert given.isdisjoint(claim.referral_id for claim in taken)
    assert Claim.objects.filter(pk__in=[one.pk for one in late], end=ClaimEnd.ANSWERED).count() == len(given)
    assert Decision.objects.count() == len(given)


def test_the_same_answer_sent_twice_at_once_counts_once(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)

    results = race(*(lambda: say(ines, claim, "dent", now, name="one-key") for _ in range(4)))

    assert {getattr(one, "pk", one) for one in results} == {Judgement.objects.get().pk}
    assert Decision.objects.count() == Label.objects.count() == 1


def test_two_different_answers_to_one_claim_end_with_one(line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    claim = take(line, ines, now)

    def answer(key: str) -> Callable[[], Judgement]:
        return lambda: say(ines, claim, key, now)

    results = race(answer("ok"), answer("dent"))

    won = [one for one in results if isinstance(one, Judgement)]
    assert len(won) == 1 and sum(isinstance(one, ClaimLost) for one in results) == 1
    assert Item.objects.get().answer == won[0].answer
