"""Leaning on the model: both arms against hand counts, and its page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from monitoring.bias import Difference, difference
from monitoring.bias_words import agreement_words, misses_words
from monitoring.intervals import share
from monitoring.selectors.leaning import leanings
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.monitoring import rows
from tests.monitoring.assisted import blind, second, shown

PAGE = "/lines/phones/bias/"


@pytest.fixture
def assist(line: Line, dial: Callable[..., PolicyVersion]) -> Line:
    """The line in assist."""
    dial(Mode.ASSIST, audit_rate=0.1)
    return line


def counts(found: Difference) -> tuple[int, int, int, int]:
    return found.shown.count, found.shown.n, found.blind.count, found.blind.n


def test_the_arms_are_counted_apart_for_all_and_for_each(assist: Line, now: datetime, ines: User, noor: User) -> None:
    for answer in ("ok", "ok", "dent"):
        shown(assist, now, ines, answer)
    shown(assist, now, noor, "ok")
    blind(assist, now, ines, "ok")
    blind(assist, now, noor, "scratch")
    found = leanings(assist, now - timedelta(hours=1))
    assert counts(found.everybody.agreement) == (3, 4, 1, 2)
    assert [(one.inspector, counts(one.agreement)) for one in found.each] == [("ines", (2, 3, 1, 1)), ("noor", (1, 1, 0, 1))]
    expected = difference(share(3, 4), share(1, 2))
    assert (found.everybody.agreement.low, found.everybody.agreement.high) == (expected.low, expected.high)


def test_what_belongs_to_no_arm_is_left_out(
    assist: Line, now: datetime, ines: User, dial: Callable[..., PolicyVersion]
) -> None:
    shown(assist, now, ines, "ok")
    shown(assist, now, ines, "")
    shown(assist, now, ines, "ok", saw=False)
    shown(assist, now, ines, "ok", received_at=now - timedelta(days=2))
    revised = shown(assist, now, ines, "dent").judgements.get()
    rows.judgement(revised.referral, ines, "ok", now, supersedes=revised)
    dial(Mode.PARTIAL)
    blind(assist, now, ines, "ok")
    found = leanings(assist, now - timedelta(hours=1))
    assert counts(found.everybody.agreement) == (2, 2, 0, 0)
    assert found.unopened == 1


def test_misses_need_a_second_blind_judgement_of_somebody_else(assist: Line, now: datetime, ines: User, noor: User) -> None:
    repeated, caught, right, own = (shown(assist, now, ines, answer) for answer in ("ok", "dent", "ok", "ok"))
    second(repeated, now, noor, "dent")
    second(caught, now, noor, "dent")
    second(right, now, noor, "ok")
    second(own, now, ines, "dent")
    unsure = shown(assist, now, ines, "ok")
    second(unsure, now, noor, "")
    # Two blind judgements of one audited item: each is the other's second look.
    twice = blind(assist, now, ines, "ok")
    second(twice, now, noor, "dent")
    found = leanings(assist, now - timedelta(hours=1))
    assert counts(found.everybody.misses) == (1, 2, 1, 1)
    assert found.checked == 4


def test_blind_people_who_do_not_agree_say_nothing_about_the_model(
    assist: Line, now: datetime, ines: User, noor: User, max_: User
) -> None:
    item = shown(assist, now, ines, "ok")
    second(item, now, noor, "dent")
    second(item, now, max_, "ok")
    assert leanings(assist, now - timedelta(hours=1)).checked == 0


@pytest.mark.parametrize(
    ("shown_k", "shown_n", "blind_k", "blind_n", "words"),
    [
        (9, 9, 5, 20, "Too few to say: 1 more shown judgements needed."),
        (0, 0, 3, 4, "Too few to say: 10 more shown and 6 more blind judgements needed."),
        (5, 10, 5, 10, "Too few to say: the range is wider than 40 points."),
        (95, 100, 70, 100, "Seeing the answer makes people say the same more often."),
        (70, 100, 95, 100, "Seeing the answer makes people say the same less often."),
        (90, 100, 90, 100, "No difference that this many judgements could tell from chance."),
    ],
)
def test_words_say_no_more_than_the_interval(shown_k: int, shown_n: int, blind_k: int, blind_n: int, words: str) -> None:
    assert agreement_words(difference(share(shown_k, shown_n), share(blind_k, blind_n))) == words


def test_misses_have_their_own_words() -> None:
    assert "repeat the error more often" in misses_words(difference(share(80, 100), share(20, 100)))


def test_the_page_shows_everybody_and_each(assist: Line, manager: Client, now: datetime, ines: User, noor: User) -> None:
    for place in range(30):
        shown(assist, now, ines, "ok")
        blind(assist, now, noor, "ok" if place < 15 else "dent")
    page = manager.get(PAGE)
    assert [row.who for row in page.context["rows"]] == ["Everybody", "ines", "noor"]
    assert "+50.0" in page.text
    assert "Seeing the answer makes people say the same more often." in page.text
    assert "Nobody can say where the model was wrong" in page.text


def test_an_empty_line_has_a_page(line: Line, manager: Client) -> None:
    assert "nothing yet" in manager.get(PAGE).text


def test_the_control_room_leads_there(line: Line, manager: Client) -> None:
    assert f'href="{PAGE}"' in manager.get("/lines/phones/").text


def test_only_managers_look(line: Line, inspector: Client, client: Client) -> None:
    assert inspector.get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_the_page_asks_as_often_however_much_there_is(
    assist: Line, manager: Client, now: datetime, ines: User, noor: User, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(3):
        second(shown(assist, now, ines, "ok"), now, noor, "dent")
        blind(assist, now, noor, "ok")
    manager.get(PAGE)
    with django_assert_num_queries(3 + 4):
        assert manager.get(PAGE).status_code == 200
