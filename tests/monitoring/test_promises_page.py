"""The page of a line's promises: what it says, what its buttons do, who may press them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from gateway import deployments
from gateway.models import Role
from monitoring.certifying import certify_line
from monitoring.selectors.arrived import book_of
from monitoring.selectors.promises import pace
from policies.changes import active_policy
from policies.models import Certification, Limit, Line, PolicyVersion
from policies.modes import Mode
from policies.promises import state_limits
from review.models import TrainingRun
from tests.conftest import version
from tests.monitoring.audit_rows import audit, scored

PAGE = "/lines/phones/promises/"
PROMISE = {("ok", "escape"): 0.02, ("ok", "overkill"): 0.05}
EMPTY = {f"{form}-{key}": "" for form in ("escape", "overkill") for key in ("ok", "scratch", "dent")}


@pytest.fixture
def proven(line: Line, dial: Callable[..., PolicyVersion], now: datetime) -> Line:
    """A line in partial by hand, with a champion, limits and enough audits."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.1)
    champion = version()
    deployments.deploy(line, champion, Role.CHAMPION, by=None, reason="test", now=now)
    state_limits(line, PROMISE)
    audit(line, champion, now, *scored(800))
    return line


def champion_of(line: Line):  # type: ignore[no-untyped-def]
    return deployments.champion(line)


def test_stating_limits_certifies_what_the_audits_allow(proven: Line, manager: Client) -> None:
    sent = EMPTY | {"confidence": "90", "escape-ok": "3", "overkill-dent": "12.5"}
    assert manager.post(f"{PAGE}limits/", sent).status_code == 302
    proven.refresh_from_db()
    assert proven.delta == 0.1
    assert {(one.label_class.key, one.form): one.epsilon for one in Limit.objects.filter(line=proven)} == {
        ("ok", "escape"): 0.03,
        ("dent", "overkill"): 0.125,
    }
    found = Certification.objects.get()
    assert (found.delta, found.created_by.username, found.certificates.count()) == (0.1, "max", 2)


@pytest.mark.parametrize("changes", [{"escape-ok": "0"}, {"escape-ok": "100"}, {"escape-ok": "some"}, {"confidence": ""}])
def test_a_limit_that_says_nothing_is_refused_and_kept_on_the_page(
    proven: Line, manager: Client, changes: dict[str, str]
) -> None:
    response = manager.post(f"{PAGE}limits/", EMPTY | {"confidence": "95", "overkill-dent": "7"} | changes)
    assert response.status_code == 422
    assert "Nothing was changed" in response.text
    assert 'value="7"' in response.text
    assert {(one.label_class.key, one.form): one.epsilon for one in Limit.objects.filter(line=proven)} == PROMISE


def test_the_button_certifies_and_the_page_shows_the_proof(proven: Line, manager: Client) -> None:
    assert "Not worked out yet under these limits" in manager.get(PAGE).text
    assert manager.post(f"{PAGE}certify/", {"model": "inspection-test-1"}).status_code == 302
    page = manager.get(PAGE).text
    found = Certification.objects.get()
    assert page.count("certified</span>") >= 2
    assert found.data_digest[:12] in page
    assert "up to date" in page
    # Thresholds set by hand are shown for what they are.
    assert "not certified" in page


def test_new_audits_make_the_certificate_old(proven: Line, manager: Client, now: datetime) -> None:
    certify_line(proven, champion_of(proven), by=None, now=now)
    audit(proven, champion_of(proven), now, *scored(3, seed=9))
    page = manager.get(PAGE).text
    assert "older than the audits" in page
    assert "803 may judge this model now" in page


def test_a_shortage_names_audits_and_days(proven: Line, manager: Client, now: datetime) -> None:
    state_limits(proven, {("ok", "escape"): 0.001})
    certify_line(proven, champion_of(proven), by=None, now=now)
    row = Certification.objects.get().certificates.get()
    assert row.missing is not None
    page = manager.get(PAGE).text
    assert f"need {row.missing:,} more audited items: about".replace(",", "\u202f") in page


def test_certified_thresholds_lead_to_the_what_if_page_as_they_are(proven: Line, manager: Client, now: datetime) -> None:
    found = certify_line(proven, champion_of(proven), by=None, now=now)
    link = manager.get(PAGE).context["use_link"]
    assert link.startswith("/lines/phones/what-if/?")
    assert f"certification={found.pk}" in link
    page = manager.get(link)
    assert page.status_code == 200
    assert page.context["form"].draft.thresholds == found.thresholds


def test_what_is_in_force_as_certified_is_marked(
    proven: Line, manager: Client, dial: Callable[..., PolicyVersion], now: datetime
) -> None:
    found = certify_line(proven, champion_of(proven), by=None, now=now)
    dial(Mode.PARTIAL, thresholds=found.thresholds)
    context = manager.get(PAGE).context
    assert [row.covered for row in context["thresholds"] if row.in_force is not None] == [True] * len(found.thresholds)
    assert all(row.in_force for row in context["rows"])


def test_hand_set_thresholds_show_their_rate_and_no_certificate(proven: Line, manager: Client, now: datetime) -> None:
    certify_line(proven, champion_of(proven), by=None, now=now)
    rows = {row.label.key: row for row in manager.get(PAGE).context["thresholds"]}
    truths, probabilities = scored(800)
    passed = (probabilities.argmax(axis=1) == 0) & (probabilities.max(axis=1) >= 0.9)
    assert (rows["ok"].escapes.n, rows["ok"].escapes.count) == (passed.sum(), (passed & (truths != 0)).sum())
    assert rows["ok"].escapes.low < rows["ok"].escapes.count / rows["ok"].escapes.n < rows["ok"].escapes.high
    assert not rows["ok"].covered
    assert rows["dent"].in_force is None


def test_a_candidate_has_its_own_proof_and_no_way_into_force(proven: Line, manager: Client, now: datetime) -> None:
    candidate = version("inspection-test-2")
    TrainingRun.objects.create(line=proven, state="done", reason="test", model_version=candidate, created_at=now)
    audit(proven, candidate, now, *scored(900, seed=2), role="challenger")
    response = manager.post(f"{PAGE}certify/", {"model": candidate.name}, follow=True)
    assert response.context["promises"].version == candidate
    assert response.context["use_link"] == ""
    assert "Only the champion" in response.text


def test_a_model_that_is_not_the_lines_is_not_certified(proven: Line, manager: Client) -> None:
    version("stranger")
    assert manager.post(f"{PAGE}certify/", {"model": "stranger"}).status_code == 404
    assert not Certification.objects.exists()


def test_without_limits_there_is_nothing_to_press(line: Line, manager: Client) -> None:
    page = manager.get(PAGE)
    assert page.status_code == 200
    assert "promises nothing yet" in page.text
    assert manager.post(f"{PAGE}certify/", {"model": ""}).status_code == 404


def test_a_line_without_a_model_says_so(line: Line, manager: Client) -> None:
    state_limits(line, PROMISE)
    assert "No model to certify" in manager.get(PAGE).text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Days to certificate"),
        ({"error": "2"}, "never certified"),
        ({"volume": "0"}, "never"),
        ({"rate": "7"}, "7 %"),
        ({"limit": "0"}, "Limit, %:"),
    ],
)
def test_the_planner_answers_what_is_typed(proven: Line, manager: Client, sent: dict[str, str], words: str) -> None:
    values = {"limit": "0.5", "confidence": "95", "volume": "1000", "rate": "5", "error": "0.2", "share": "90"} | sent
    response = manager.get(f"{PAGE}planner/", values)
    assert response.status_code == 200
    assert words in response.text


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}planner/"])
def test_only_managers_look(proven: Line, inspector: Client, client: Client, path: str) -> None:
    assert inspector.get(path).status_code == 403
    assert client.get(path).status_code == 302


@pytest.mark.parametrize("path", [f"{PAGE}limits/", f"{PAGE}certify/"])
def test_only_managers_press_and_only_by_post(proven: Line, inspector: Client, manager: Client, path: str) -> None:
    assert inspector.post(path).status_code == 403
    assert manager.get(path).status_code == 405


def test_the_page_asks_as_often_however_much_there_is(
    proven: Line, manager: Client, now: datetime, django_assert_num_queries: Callable[[int], Any]
) -> None:
    certify_line(proven, champion_of(proven), by=None, now=now)
    audit(proven, champion_of(proven), now, *scored(50, seed=9))
    manager.get(PAGE)
    with django_assert_num_queries(3 + 16):
        assert manager.get(PAGE).status_code == 200


def test_the_pace_is_that_of_the_last_week(proven: Line, dial: Callable[..., PolicyVersion], now: datetime) -> None:
    # 800 items in the last 800 minutes: a line younger than a day is not taken to go on like that.
    assert pace(book_of(proven), active_policy(proven), now).volume_per_day == 800
    assert pace(book_of(proven), active_policy(proven), now).audits_per_day == 80
    dial(Mode.SHADOW)
    assert pace(book_of(proven), active_policy(proven), now).audit_rate == 1.0
