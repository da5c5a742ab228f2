"""Who must not see what the model said, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.utils import timezone

from gateway import lifecycle
from gateway.models import Item, Referral
from gateway.roles import MANAGERS
from gateway.visibility import hidden_items, hides_prediction
from policies.decide import Reason
from policies.models import Line, Reveal
from policies.modes import Mode
from tests.conftest import Model, uuid_of

Make = Callable[..., Item]


@pytest.fixture
def make(post: Callable[..., Any], dial: Callable[..., Any], model: Model) -> Make:
    """Post an item under a mode and audit rate."""
    seeds = iter(range(100))

    def item(mode: Mode, audit_rate: float = 0.0) -> Item:
        dial(mode, audit_rate=audit_rate, thresholds={})
        return Item.objects.get(pk=uuid_of(post(seed=next(seeds))))

    return item


@pytest.mark.parametrize(
    ("mode", "audit_rate", "hidden"),
    [
        (Mode.HUMAN_ONLY, 0.0, True),
        (Mode.SHADOW, 0.0, True),
        (Mode.ASSIST, 0.0, False),
        (Mode.ASSIST, 1.0, True),
        (Mode.PARTIAL, 0.0, False),
        (Mode.PARTIAL, 1.0, True),
        (Mode.FULL, 0.0, False),
        (Mode.FULL, 1.0, True),
    ],
)
def test_what_is_judged_blind_is_hidden_from_whoever_may_judge_it(
    make: Make, ines: User, mode: Mode, audit_rate: float, hidden: bool
) -> None:
    Line.objects.update(reveal=Reveal.AT_ONCE)
    assert hides_prediction(ines, make(mode, audit_rate)) is hidden


def test_a_line_that_never_reveals_hides_in_every_mode(make: Make, ines: User) -> None:
    Line.objects.update(reveal=Reveal.BLIND)
    assert hides_prediction(ines, make(Mode.ASSIST))


def test_a_line_that_reveals_after_the_first_look_hides_until_it_is_judged(make: Make, ines: User) -> None:
    Line.objects.update(reveal=Reveal.AFTER)
    item = make(Mode.ASSIST)
    assert hides_prediction(ines, item)
    lifecycle.close_referral(Referral.objects.get(item=item), actor="user:noor", now=timezone.now())
    assert not hides_prediction(ines, item)


def test_only_inspectors_are_kept_from_it(make: Make, max_: User, charlie: User) -> None:
    item = make(Mode.SHADOW)
    assert not hides_prediction(max_, item)
    assert not hides_prediction(charlie, item)
    assert not hides_prediction(AnonymousUser(), item)


def test_a_manager_who_also_judges_is_kept_from_it(make: Make, ines: User) -> None:
    ines.groups.add(Group.objects.get_or_create(name=MANAGERS)[0])
    assert hides_prediction(User.objects.get(pk=ines.pk), make(Mode.SHADOW))


def test_it_stays_hidden_while_the_answer_can_still_be_changed(make: Make, ines: User, settings: Any) -> None:
    settings.REVISE_MINUTES = 30
    item, now = make(Mode.FULL, 1.0), timezone.now()
    lifecycle.close_referral(Referral.objects.get(item=item), actor="user:noor", now=now - timedelta(minutes=29))
    assert hides_prediction(ines, item)
    Referral.objects.update(settled_at=now - timedelta(minutes=31))
    assert not hides_prediction(ines, item)


def test_an_appeal_hides_it_again(make: Make, ines: User) -> None:
    item = make(Mode.FULL)
    assert not hides_prediction(ines, item)
    lifecycle.refer(item, Reason.APPEAL, blind=True, actor="token:camera", now=timezone.now())
    assert hides_prediction(ines, item)


def test_many_items_are_asked_for_at_once(make: Make, ines: User, django_assert_num_queries: Callable[..., Any]) -> None:
    hidden = {make(Mode.SHADOW).pk for _ in range(3)}
    shown = {make(Mode.FULL).pk for _ in range(2)}
    with django_assert_num_queries(2):  # the user's roles, the referrals
        assert hidden_items(ines, hidden | shown) == hidden
