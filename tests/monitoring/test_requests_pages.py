"""Change requests as the managers' browsers see and move them, and the dial where others have to agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from gateway import change_control
from gateway.models import Event
from gateway.roles import MANAGERS
from monitoring.tasks import apply_requests
from monitoring.trials import trial
from policies.changes import Draft, active_policy, change_policy, draft_of
from policies.models import ChangeRequest, Line, PolicyVersion
from policies.modes import Mode
from tests.monitoring import rows
from tests.monitoring.conftest import more, version_in_service
from tests.monitoring.test_dial import values

PARTIAL = Draft(Mode.PARTIAL, {"ok": 0.8}, audit_rate=0.1)


@pytest.fixture
def mia(db: None, login: Callable[[User], Client]) -> Client:
    """Another manager's browser."""
    user = User.objects.create_user("mia", password="mia")
    user.groups.set([Group.objects.get_or_create(name=MANAGERS)[0]])
    return login(user)


@pytest.fixture
def strict(busy: Line, now: datetime) -> Line:
    """The busy line with an item that a lower threshold would let through, where one other manager must agree."""
    rows.prediction(rows.item(busy, now, reason="uncertain"), "ok", 0.85, version_in_service(busy))
    Line.objects.update(approvals=1)
    busy.refresh_from_db()
    return busy


@pytest.fixture
def open_(strict: Line, max_: User) -> ChangeRequest:
    """What Max asks for, with its evidence."""
    now = timezone.now()
    found = trial(strict, PARTIAL, now=now)
    return change_control.ask(strict, PARTIAL, expected=2, by=max_, reason="The clear cases", evidence=found.evidence, now=now)


def overtake(line: Line, now: datetime) -> None:
    """Somebody else changes the policy."""
    current = active_policy(line)
    change_policy(line, replace(draft_of(current), audit_rate=0.5), expected=current.number, by=None, reason="x", now=now)


def test_the_page_tells_all_that_was_known(open_: ChangeRequest, mia: Client) -> None:
    page = mia.get(f"/requests/{open_.pk}/").text
    for words in ("Threshold of Ok 90 % → 80 %", "The clear cases", "0 of 1", "Waits for approval", "Escape rate", "Approve"):
        assert words in page
    assert "not certified" in page


def test_who_asked_may_withdraw_and_not_approve(open_: ChangeRequest, manager: Client) -> None:
    page = manager.get(f"/requests/{open_.pk}/").text
    assert "somebody else has to agree" in page
    assert f"/requests/{open_.pk}/approve/" not in page
    assert manager.post(f"/requests/{open_.pk}/approve/").status_code == 403
    assert active_policy(open_.line).number == 2
    assert "withdrawn" in manager.post(f"/requests/{open_.pk}/withdraw/", follow=True).text


def test_somebody_else_approves(open_: ChangeRequest, mia: Client) -> None:
    page = mia.post(f"/requests/{open_.pk}/approve/", {"comment": "Seen it"}, follow=True).text
    assert "Version 3 is in force from the next item on" in page
    assert "“Seen it”" in page
    assert active_policy(open_.line).thresholds == {"ok": 0.8}
    assert mia.post(f"/requests/{open_.pk}/approve/").status_code == 409


def test_somebody_else_rejects_with_a_reason(open_: ChangeRequest, mia: Client) -> None:
    assert mia.post(f"/requests/{open_.pk}/reject/", {"note": " "}).status_code == 422
    assert "mia: Too early" in mia.post(f"/requests/{open_.pk}/reject/", {"note": "Too early"}, follow=True).text


def test_an_overtaken_request_says_why_and_is_renewed_with_fresh_figures(
    open_: ChangeRequest, manager: Client, mia: Client, ines: User, now: datetime
) -> None:
    overtake(open_.line, now)
    more(open_.line, ines, now)
    assert "Nothing was changed." in mia.post(f"/requests/{open_.pk}/approve/", follow=True).text
    page = manager.get(f"/requests/{open_.pk}/").text
    assert "It was made against version 2; version 3 is in force now." in page
    assert "Audit rate 10 % → 50 %" in page
    assert "Renew against version 3" in page
    manager.post(f"/requests/{open_.pk}/renew/")
    fresh = ChangeRequest.objects.get(renews=open_)
    assert (fresh.state, fresh.base.number, fresh.evidence["policy"]) == ("open", 3, 3)
    assert fresh.evidence["items"] == open_.evidence["items"] + 3
    page = manager.get(f"/requests/{open_.pk}/").text
    assert f'href="/requests/{fresh.pk}/"' in page
    assert "Renew against" not in page


def test_of_two_competing_requests_the_second_goes_stale(open_: ChangeRequest, max_: User, mia: Client, now: datetime) -> None:
    second = change_control.ask(open_.line, replace(PARTIAL, thresholds={"ok": 0.7}), expected=2, by=max_, reason="2", now=now)
    mia.post(f"/requests/{open_.pk}/approve/")
    assert apply_requests() == 1
    second.refresh_from_db()
    assert (second.state, active_policy(open_.line).thresholds) == ("stale", {"ok": 0.8})


def test_the_worker_applies_what_is_due(strict: Line, max_: User) -> None:
    before = timezone.now() - timedelta(hours=2)
    Line.objects.update(approvals=0)
    strict.refresh_from_db()
    change_control.ask(strict, PARTIAL, expected=2, by=max_, reason="Tonight", apply_at=before + timedelta(hours=1), now=before)
    assert apply_requests() == 1
    assert active_policy(strict).thresholds == {"ok": 0.8}
    assert apply_requests() == 0


def test_the_list_tells_what_waits_what_is_planned_and_what_is_over(
    open_: ChangeRequest, max_: User, manager: Client, now: datetime
) -> None:
    assisting = replace(PARTIAL, mode=Mode.ASSIST, thresholds={"ok": 0.9})
    change_control.ask(open_.line, assisting, expected=2, by=max_, reason="2", apply_at=now + timedelta(days=1), now=now)
    gone = change_control.ask(open_.line, PARTIAL, expected=2, by=max_, reason="Not so", now=now)
    change_control.withdraw(gone, by=max_, now=now)
    found = manager.get("/lines/phones/requests/").context["requests"]
    assert [len(rows) for rows in (found.open, found.scheduled, found.past)] == [1, 1, 1]
    assert found.open[0].words == ("Threshold of Ok 90 % → 80 %",)


@pytest.mark.parametrize("verb", ["approve", "reject", "withdraw", "renew"])
def test_moves_are_for_managers(open_: ChangeRequest, inspector: Client, client: Client, verb: str) -> None:
    assert inspector.post(f"/requests/{open_.pk}/{verb}/", {"note": "x"}).status_code == 403
    assert client.post(f"/requests/{open_.pk}/{verb}/").headers["Location"].startswith("/login/")
    assert client.get(f"/requests/{open_.pk}/").headers["Location"].startswith("/login/")
    assert inspector.get(f"/requests/{open_.pk}/").status_code == 403
    open_.refresh_from_db()
    assert open_.state == "open"


def test_what_is_not_there_is_404(open_: ChangeRequest, manager: Client) -> None:
    assert manager.get("/requests/0/").status_code == 404
    assert manager.post("/requests/0/approve/").status_code == 404
    assert manager.post(f"/requests/{open_.pk}/bless/").status_code == 404
    assert manager.get(f"/requests/{open_.pk}/approve/").status_code == 405


def test_a_request_asks_as_often_whatever_it_holds(
    open_: ChangeRequest, mia: Client, manager: Client, django_assert_num_queries: Callable[[int], Any]
) -> None:
    # Session, user, roles; the request, approvals, classes, present, renewal, flipped items, alarms.
    mia.get(f"/requests/{open_.pk}/")
    with django_assert_num_queries(3 + 7):
        mia.get(f"/requests/{open_.pk}/")
    mia.post(f"/requests/{open_.pk}/approve/")
    with django_assert_num_queries(3 + 7):
        manager.get(f"/requests/{open_.pk}/")


# --- The dial and the step back, where others have to agree --------------------------------------------------------------


def test_the_dial_asks_and_says_so(strict: Line, manager: Client) -> None:
    page = manager.post("/lines/phones/dial/", values(expected=2), follow=True).text
    request = ChangeRequest.objects.get()
    assert "Nothing has changed yet" in page
    assert f'href="/requests/{request.pk}/"' in page
    assert (request.state, active_policy(strict).number) == ("open", 2)
    assert request.evidence["draft"]["automated_share"] is not None


def test_the_dial_turns_down_at_once(strict: Line, manager: Client) -> None:
    form = {"mode": "assist", "expected": 2, "threshold-ok": "90", "audit_percent": "10", "due_minutes": "0"}
    page = manager.post("/lines/phones/dial/", values(**form), follow=True).text
    assert "Policy version 3 is in force from the next item on" in page
    assert active_policy(strict).mode == "assist"


def test_the_red_switch_asks_nobody(strict: Line, manager: Client) -> None:
    manager.post("/lines/phones/stop/")
    assert active_policy(strict).mode == "human_only"
    assert list(Event.objects.values_list("kind", flat=True))[-1] == "policy.changed"


def test_a_step_back_up_waits_and_a_step_back_down_does_not(
    strict: Line, dial: Callable[..., PolicyVersion], manager: Client, mia: Client
) -> None:
    dial(Mode.FULL)
    manager.post("/lines/phones/policies/rollback/", {"expected": 3})
    assert (active_policy(strict).number, active_policy(strict).mode) == (4, "partial")
    manager.post("/lines/phones/stop/")
    response = manager.post("/lines/phones/policies/rollback/", {"expected": 5})
    request = ChangeRequest.objects.get(state="open")
    assert (response.headers["Location"], active_policy(strict).mode) == (f"/requests/{request.pk}/", "human_only")
    assert "it restores version 2" in mia.post(f"/requests/{request.pk}/approve/", follow=True).text
    assert (active_policy(strict).number, active_policy(strict).mode) == (6, "partial")


def test_the_settings_say_how_many_must_agree(busy: Line, manager: Client) -> None:
    page = manager.get("/lines/phones/settings/").text
    assert 'name="approvals"' in page
