"""What each call costs the database, so that a loop of queries is noticed on the day it comes in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from policies.models import Line, Reveal
from policies.modes import Mode
from tests.review.browser import answer, cards, send
from tests.review.people import arrive, judge

SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}
# Session, user and roles; every page of somebody who is logged in.
WHO = 3
# Whoever takes is locked where writers come side by side.
LOCK = int(connection.features.has_select_for_update)
# Looking for the feed, making it in a savepoint, and its first place once more.
FIRST_LABEL = 5


@pytest.fixture
def desk(ines: User, login: Callable[[User], Client]) -> Client:
    """The browser in which Ines is logged in."""
    return login(ines)


@pytest.mark.parametrize("waiting", [3, 30])
def test_three_cards(desk: Client, line: Line, now: datetime, waiting: int, django_assert_num_queries: Any) -> None:
    arrive(line, waiting, now=now)
    # Line, what ran out; savepoint, what I hold, what is overdue, the rest, claims, events, release; the queue's figures.
    with django_assert_num_queries(WHO + LOCK + 2 + 7 + 1):
        assert len(cards(desk, want=3)) == 3


def test_three_cards_that_show_the_prediction(
    desk: Client, line: Line, now: datetime, dial: Callable[..., Any], django_assert_num_queries: Any
) -> None:
    Line.objects.update(reveal=Reveal.AT_ONCE)
    dial(Mode.ASSIST)
    arrive(line, 3, now=now, says=SURE)
    with django_assert_num_queries(WHO + LOCK + 2 + 7 + 1 + 2):
        assert all("prediction" in card for card in cards(desk, want=3))


def test_nothing_to_do(desk: Client, line: Line, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(WHO + LOCK + 2 + 5 + 1):
        assert cards(desk, want=3) == []


@pytest.mark.parametrize("before", [0, 20])
def test_an_answer(desk: Client, line: Line, now: datetime, before: int, django_assert_num_queries: Any) -> None:
    arrive(line, before + 1, now=now)
    for _ in range(before):
        answer(desk, cards(desk)[0])
    (card,) = cards(desk)
    # Savepoint, claim, what it is about, classes, answers so far, the answer, the question, item, decision, label before, its
    # place, label, the events, release; the line's first label makes the feed.
    with django_assert_num_queries(WHO + 14 + (0 if before else FIRST_LABEL)):
        assert answer(desk, card, "dent").status_code == 200


def test_another_answer(desk: Client, line: Line, now: datetime, django_assert_num_queries: Any) -> None:
    arrive(line, 1, now=now)
    judgement = answer(desk, cards(desk)[0]).json()["judgement"]
    with django_assert_num_queries(WHO + 19):
        assert send(desk, f"/console/judgements/{judgement}/revise", {"answer": "dent"}).status_code == 200


@pytest.mark.parametrize("judged", [1, 25])
def test_my_recent_answers(
    desk: Client, line: Line, ines: User, now: datetime, judged: int, django_assert_num_queries: Any
) -> None:
    arrive(line, judged, now=now)
    for _ in range(judged):
        judge(line, ines, "dent", now)
    # Judgements with their items, names of classes, negatives, what is hidden, lines.
    with django_assert_num_queries(WHO + 5):
        assert desk.get("/recent/").text.count("data-judgement=") == judged


@pytest.mark.parametrize("judged", [1, 10])
def test_my_last_answers_in_the_console(
    desk: Client, line: Line, ines: User, now: datetime, judged: int, django_assert_num_queries: Any
) -> None:
    arrive(line, judged, now=now)
    for _ in range(judged):
        judge(line, ines, "dent", now)
    with django_assert_num_queries(WHO + 2):
        assert len(desk.get("/lines/phones/console/last").json()["judgements"]) == judged


def test_the_console_page(desk: Client, line: Line, django_assert_num_queries: Any) -> None:
    # Line, policy, classes, pictures.
    with django_assert_num_queries(WHO + 4):
        desk.get("/lines/phones/console/")
