"""Figures of the control room, counted by hand from rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from monitoring.flow import Flow, flow, trend
from monitoring.selectors.arrived import book_of, cells, groups, scored
from monitoring.selectors.lines import overviews
from monitoring.selectors.people import work
from monitoring.selectors.queue import queue
from monitoring.selectors.truth import scoreboard
from monitoring.windows import window_of
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review.models import Claim
from tests.conftest import version
from tests.monitoring import rows

DAY = timedelta(hours=24)
Dial = Callable[..., PolicyVersion]
Queries = Callable[[int], Any]


def test_each_item_is_in_one_part_of_the_flow(line: Line, now: datetime, django_assert_num_queries: Queries) -> None:
    for answer in ("ok", "ok", "ok", "scratch"):
        rows.automated(line, now, answer)
    for answer in ("ok", "dent", "dent"):
        rows.item(line, now, state="decided", answer=answer, decided_by="person")
    rows.item(line, now)
    rows.item(line, now, state="held")
    rows.item(line, now, state="decided", answer="scratch", decided_by="fail_safe")
    rows.item(line, now, state="decided", answer="ok", decided_by="import")
    rows.item(line, now, received_at=now - timedelta(days=2))
    with django_assert_num_queries(2):
        found = flow(groups(book_of(line), now - DAY), "ok")
    assert found == Flow(model_passed=3, model_rejected=1, people_passed=1, people_rejected=2, held=2, waiting=1)
    assert found.total == 10


def test_the_trend_counts_by_hour(line: Line, now: datetime, django_assert_num_queries: Queries) -> None:
    window, now = window_of("24h"), now.replace(minute=30)
    edges = window.edges(now)
    rows.automated(line, now, "ok", received_at=edges[3])
    rows.item(line, now, received_at=edges[3] + timedelta(minutes=59))
    rows.automated(line, now, "ok", received_at=edges[4])
    rows.item(line, now, received_at=edges[0] - timedelta(seconds=1))
    rows.item(line, now, received_at=window.start(now) - timedelta(seconds=1))
    with django_assert_num_queries(2):
        arrived = groups(book_of(line), window.start(now))
    whole, points = flow(arrived, "ok"), trend(arrived, window.edges(now))
    filled = {
        position: (point.automated.count, point.automated.n) for position, point in enumerate(points) if point.automated.n
    }
    assert len(points) == 24
    assert filled == {3: (1, 2), 4: (1, 1)}
    # What came in the first hour, of which the window holds a part, is in the whole alone.
    assert whole.total == 4


def test_labels_meet_the_prediction_that_routed_the_item(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    model = version()
    passed = rows.automated(line, now, "ok", in_audit=True)
    rows.prediction(passed, "ok", 0.9512, model)
    rows.prediction(passed, "dent", 0.8, version("inspection-test-2"), role="challenger")
    wrong = rows.label(passed, "ok", now)
    rows.label(passed, "scratch", now, supersedes=wrong)
    asked = rows.item(line, now, reason="uncertain")
    rows.prediction(asked, "scratch", 0.5, model)
    rows.label(asked, "scratch", now, blind=False)
    rows.prediction(rows.item(line, now), "ok", 1.0, model)
    found = sorted(cells(book_of(line), now - DAY), key=lambda cell: cell.bin)
    assert [(cell.said, cell.truth, cell.bin, cell.count) for cell in found] == [
        ("scratch", "scratch", 100, 1),
        ("ok", "scratch", 190, 1),
    ]
    assert [(cell.trusted, cell.automated, cell.model_may_decide, cell.version) for cell in found] == [
        (False, False, True, model.pk),
        (True, True, True, model.pk),
    ]
    assert scored(book_of(line), model.pk, now - DAY) == {("ok", 190): 1, ("ok", 200): 1, ("scratch", 100): 1}


def test_shadow_judges_the_model_without_an_audit_sample(line: Line, now: datetime) -> None:
    watched = rows.item(line, now, reason="shadow")
    rows.prediction(watched, "ok", 0.6, None)
    rows.label(watched, "ok", now)
    (cell,) = cells(book_of(line), now - DAY)
    assert (cell.trusted, cell.in_audit, cell.model_may_decide, cell.version) == (True, False, False, None)


def test_imported_labels_judge_nothing(line: Line, now: datetime) -> None:
    imported = rows.item(line, now)
    rows.prediction(imported, "ok", 0.6, None)
    rows.label(imported, "ok", now, source="import")
    assert cells(book_of(line), now - DAY) == []


def test_the_queue(line: Line, ines: User, noor: User, now: datetime, django_assert_num_queries: Queries) -> None:
    first, second, third = (
        rows.referral(rows.item(line, now), now, created_at=now - timedelta(minutes=age)) for age in (9, 4, 2)
    )
    rows.referral(rows.item(line, now), now, state="settled", due_at=now - DAY)
    type(first).objects.filter(pk=second.pk).update(due_at=now - timedelta(seconds=1))
    later, before = now + timedelta(minutes=1), now - timedelta(minutes=1)
    Claim.objects.create(referral=first, reviewer=ines, claimed_at=before, expires_at=later)
    Claim.objects.create(referral=second, reviewer=ines, claimed_at=before, expires_at=later)
    Claim.objects.create(referral=third, reviewer=noor, claimed_at=before, expires_at=before)
    with django_assert_num_queries(2):
        found = queue(line, now)
    assert (found.open, found.overdue, found.oldest_at) == (3, 1, now - timedelta(minutes=9))
    assert (found.claimed, found.reviewers) == (2, 1)


def test_the_work_of_a_day(line: Line, ines: User, noor: User, now: datetime) -> None:
    def judge(who: User, answer: str, minutes: int, active_ms: int, **more: Any) -> Any:
        asked = rows.referral(rows.item(line, now), now)
        return rows.judgement(asked, who, answer, now - timedelta(minutes=minutes), active_ms=active_ms, **more)

    first = judge(ines, "ok", 10, 1000)
    judge(ines, "scratch", 10, 9000, supersedes=first)
    judge(ines, "", 90, 3000)
    judge(ines, "ok", 90, 5000)
    judge(noor, "ok", 30, 2000)
    judge(noor, "ok", 60 * 25, 99_000)
    found = work(line, now)
    assert (found.judgements, found.last_hour, found.median_seconds) == (4, 2, 2.5)
    assert [(who.name, who.judgements, who.last_hour, who.unsure, who.median_seconds) for who in found.reviewers] == [
        ("ines", 3, 1, 1, 3.0),
        ("noor", 1, 1, 0, 2.0),
    ]
    assert found.reviewers[0].per_hour == pytest.approx(1200)


def test_the_scoreboard(line: Line, ines: User, noor: User, now: datetime, django_assert_num_queries: Queries) -> None:
    for said, truth in (("ok", "ok"), ("ok", "dent"), ("scratch", "ok"), ("dent", "scratch")):
        made = rows.automated(line, now, said)
        rows.prediction(made, said, 0.95, None)
        rows.known(made, truth)
    asked = rows.referral(rows.item(line, now), now)
    rows.known(asked.item, "dent")
    corrected = rows.judgement(asked, ines, "ok", now)
    rows.judgement(asked, ines, "dent", now, supersedes=corrected)
    rows.judgement(asked, noor, "ok", now)
    rows.judgement(asked, noor, "", now)
    with django_assert_num_queries(2):
        found = scoreboard(line, "ok", now - DAY)

    def counts(score: Any) -> list[tuple[int, int]]:
        return [(part.count, part.n) for part in (score.right, score.escapes, score.overkill)]

    assert counts(found.model) == [(1, 4), (1, 2), (1, 2)]
    assert counts(found.people) == [(1, 2), (1, 1), (0, 0)]
    assert [(score.who, counts(score)[0]) for score in found.reviewers] == [("ines", (1, 1)), ("noor", (0, 1))]


def test_all_lines_at_once(line: Line, dial: Dial, now: datetime, django_assert_num_queries: Queries) -> None:
    dial(Mode.SHADOW)
    rows.automated(line, now, "ok")
    asked = rows.referral(rows.item(line, now), now, due_at=now - timedelta(seconds=1))
    with django_assert_num_queries(4):
        (found,) = overviews(now)
    assert (found.mode, found.notch.title, found.open, found.overdue) == (Mode.SHADOW, "Shadow", 1, 1)
    assert (found.oldest_at, found.arrived, found.automated.count) == (asked.created_at, 2, 1)


def test_a_retired_line_is_not_shown(line: Line, now: datetime) -> None:
    Line.objects.filter(pk=line.pk).update(retired_at=now)
    assert overviews(now) == []
