"""The weekly report: one week's figures against hand counts, its edges, who reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import deployments
from gateway.models import Role
from monitoring.models import Alarm, Recall
from monitoring.selectors.report import WeeklyReport
from monitoring.weeks import Week, week_at
from policies.changes import Draft, active_policy, change_policy, draft_of
from policies.lines import ClassDraft, create_line
from policies.models import Certificate, Certification, ChangeRequest, Line
from policies.modes import Mode
from policies.requests import draft_json
from tests.conftest import version
from tests.monitoring import rows
from tests.monitoring.assisted import blind, shown
from tests.monitoring.guarded import audit, decided, limit

PAGE = "/lines/phones/report/"


@pytest.fixture
def week(now: datetime) -> Week:
    """The last full week."""
    return week_at(now, UTC).previous


@pytest.fixture
def line(db: None, week: Week) -> Line:
    """A line that was there before the week, in partial."""
    drafts = [ClassDraft(key, key.capitalize(), f"What {key} means") for key in ("ok", "scratch", "dent")]
    start = Draft(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.1)
    return create_line("phones", "Phones", "Is there a defect?", drafts, start, now=week.start - timedelta(days=3))


def turn(line: Line, mode: Mode, at: datetime, by: User | None = None, reason: str = "test") -> None:
    current = active_policy(line)
    draft = Draft(mode, thresholds=current.thresholds, audit_rate=current.audit_rate)
    change_policy(line, draft, expected=current.number, by=by, reason=reason, now=at)


def report_of(manager: Client, week: Week) -> WeeklyReport:
    page = manager.get(PAGE, {"week": week.key})
    assert page.status_code == 200
    found: WeeklyReport = page.context["report"]
    return found


def test_the_edges_of_the_week_are_monday_midnight(line: Line, manager: Client, week: Week) -> None:
    instant = timedelta(microseconds=1)
    for at in (week.start - instant, week.start, week.end - instant, week.end):
        decided(line, at)
    rows.item(line, week.start, received_at=week.start)
    found = report_of(manager, week)
    assert (found.flow.model_passed, found.flow.waiting, found.flow.total) == (2, 1, 3)
    assert (found.automated.count, found.automated.n) == (2, 3)
    assert report_of(manager, week.previous).flow.total == 1


def test_the_last_full_week_is_shown_unless_another_is_asked_for(line: Line, manager: Client, week: Week) -> None:
    page = manager.get(PAGE)
    assert page.context["week"].monday == week.monday
    assert f"?week={week.previous.key}" in page.text
    assert f"?week={week.next.key}" in page.text
    running = manager.get(PAGE, {"week": week.next.key})
    assert "This week is not over" in running.text
    assert f"?week={week.next.next.key}" not in running.text


def test_there_is_no_report_of_a_week_to_come_or_of_none(line: Line, manager: Client, week: Week) -> None:
    for key in (week.next.next.key, "2024-W53", "next"):
        assert manager.get(PAGE, {"week": key}).status_code == 404


def test_the_level_has_its_history_with_who_and_why(line: Line, manager: Client, week: Week, max_: User) -> None:
    turn(line, Mode.SHADOW, week.start + timedelta(days=1), max_, "Too many dents")
    turn(line, Mode.FULL, week.end, max_, "After the week")
    found = report_of(manager, week)
    assert found.opening is not None
    assert (found.opening.number, [change.policy.number for change in found.changes]) == (1, [2])
    assert found.closing is not None
    assert found.closing.mode == Mode.SHADOW
    text = manager.get(PAGE).text
    assert "Too many dents" in text
    assert "After the week" not in text


def test_observed_rates_are_of_the_weeks_audits_alone(line: Line, manager: Client, week: Week) -> None:
    limit(line, epsilon=0.05)
    inside = week.start + timedelta(days=2)
    for truth in ("ok",) * 9 + ("dent",):
        rows.prediction(audit(line, inside, "ok", truth), "ok", 0.95, None)
    audit(line, week.start - timedelta(hours=1), "ok", "dent")
    audit(line, week.end, "ok", "dent")
    row = manager.get(PAGE).context["rows"][0]
    assert (row.observed.count, row.observed.n) == (1, 10)
    # The guardrail goes on from the week before.
    assert row.watched == "2 escapes in 11 audits, limit 5 %"
    assert row.found is None
    rates = manager.get(PAGE).context["error_rates"]
    assert [(rate.share.count, rate.share.n) for rate in rates] == [(1, 10), (0, 9)]


def test_a_change_of_mode_starts_the_guardrails_count_anew(line: Line, manager: Client, week: Week) -> None:
    limit(line, epsilon=0.05)
    audit(line, week.start, "ok", "dent")
    turn(line, Mode.FULL, week.start + timedelta(days=1))
    audit(line, week.start + timedelta(days=2), "ok", "ok")
    row = manager.get(PAGE).context["rows"][0]
    assert row.watched == "0 escapes in 1 audits, limit 5 %"
    # What came into force after the week does not change what it saw.
    turn(line, Mode.PARTIAL, week.end)
    assert manager.get(PAGE).context["rows"][0].watched == row.watched


def test_the_proof_is_that_of_the_champion_at_the_end_of_the_week(line: Line, manager: Client, week: Week) -> None:
    limit(line, epsilon=0.05)
    first, later = version(), version("inspection-test-2")
    deployments.deploy(line, first, Role.CHAMPION, by=None, reason="First", now=week.start)
    deployments.deploy(line, later, Role.CHAMPION, by=None, reason="Later", now=week.end)
    for at, bound in ((week.start, 0.031), (week.end, 0.011)):
        proof = Certification.objects.create(
            line=line, model_name=first.name, weights_digest=first.weights_digest, delta=0.05,
            thresholds={"ok": 0.9}, audits=400, data_digest="a" * 64, created_at=at,
        )  # fmt: skip
        Certificate.objects.create(
            certification=proof, label="ok", form="escape", epsilon=0.04, n=400, k=2, bound=bound, level=0.05
        )
    page = manager.get(PAGE)
    row = page.context["rows"][0]
    assert (row.found.bound, row.in_force, row.same) == (0.031, True, False)
    assert "for the limit as it was: 4.0 %" in page.text
    assert [one.model_version for one in page.context["report"].deployments] == [first]


def test_alarms_recalls_and_requests_are_those_of_the_week(line: Line, manager: Client, week: Week, max_: User) -> None:
    policy = active_policy(line)
    for place, at in enumerate((week.start - timedelta(seconds=1), week.start, week.end)):
        Alarm.objects.create(
            line=line, watch="queue", since=at, action="notify", policy=policy, evidence={"words": f"alarm {place}"}, at=at
        )
        Recall.objects.create(line=line, item=decided(line, at), label="ok", truth="dent", until=at, created_at=at)
        ChangeRequest.objects.create(
            line=line, base=policy, reason=f"request {place}", approvals_needed=1, requested_by=max_, created_at=at,
            draft={"mode": "full", "thresholds": {}, "audit_rate": 0.1, "overlap": 1, "due_seconds": 0, "fail_safe": "hold"},
        )  # fmt: skip
    found = report_of(manager, week)
    assert [alarm.evidence["words"] for alarm in found.alarms] == ["alarm 1"]
    assert [recall.created_at for recall in found.recalls] == [week.start]
    assert [row.change.reason for row in found.requests] == ["request 1"]


def test_the_leaning_is_that_of_the_week(line: Line, manager: Client, week: Week, ines: User) -> None:
    turn(line, Mode.ASSIST, week.start)
    shown(line, week.start, ines, "ok", received_at=week.start)
    blind(line, week.start, ines, "dent", received_at=week.start)
    shown(line, week.end, ines, "ok", received_at=week.end)
    found = report_of(manager, week).leanings.everybody.agreement
    assert (found.shown.count, found.shown.n, found.blind.count, found.blind.n) == (1, 1, 0, 1)


def test_an_empty_week_and_one_before_the_line_say_so(line: Line, manager: Client, week: Week) -> None:
    text = manager.get(PAGE).text
    for words in ("Nothing arrived", "Nobody changed the policy", "No alarm", "states no limit", "Name and signature"):
        assert words in text
    limit(line)
    assert "The line was not there yet" in manager.get(PAGE, {"week": week.previous.previous.key}).text


def test_only_managers_look(line: Line, inspector: Client, client: Client) -> None:
    assert inspector.get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_the_page_asks_as_often_however_much_there_is(
    line: Line, manager: Client, week: Week, ines: User, django_assert_num_queries: Callable[[int], Any]
) -> None:
    limit(line)
    deployments.deploy(line, version(), Role.CHAMPION, by=None, reason="First", now=week.start)
    for hour in range(2):
        fill(line, week.start + timedelta(hours=hour), ines)
        manager.get(PAGE)
        with django_assert_num_queries(3 + 21):
            manager.get(PAGE)


def fill(line: Line, at: datetime, by: User) -> None:
    """Leave one of everything that the report lists."""
    present = active_policy(line)
    ChangeRequest.objects.create(
        line=line,
        base=present,
        draft=draft_json(draft_of(present)),
        reason="r",
        approvals_needed=1,
        requested_by=by,
        created_at=at,
    )
    Recall.objects.create(line=line, item=audit(line, at, "ok", "dent"), label="ok", truth="dent", until=at, created_at=at)
    shown(line, at, by, "ok", received_at=at)
    Alarm.objects.create(
        line=line, watch="queue", since=at, action="notify", policy=active_policy(line), evidence={}, at=at, seen_by=by
    )
    turn(line, Mode.FULL if active_policy(line).mode == Mode.PARTIAL else Mode.PARTIAL, at, by)
