"""The line under the dial and the model page's comparison: what is certified, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from gateway import deployments
from gateway.models import Role
from inference.models import ModelVersion
from monitoring.certifying import certify_line
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from policies.promises import state_limits
from review.models import TrainingRun
from tests.conftest import version
from tests.monitoring.audit_rows import audit, scored

PROMISE = {("ok", "escape"): 0.02, ("ok", "overkill"): 0.05}


@pytest.fixture
def champion(line: Line, now: datetime) -> ModelVersion:
    """The line's champion with its audits."""
    made = version()
    deployments.deploy(line, made, Role.CHAMPION, by=None, reason="test", now=now)
    audit(line, made, now, *scored(800))
    return made


def line_of(manager: Client) -> tuple[str, str]:
    found = manager.get("/lines/phones/").context["promise_line"]
    return found.tone, found.words


def test_without_limits_a_threshold_is_a_guess(line: Line, manager: Client) -> None:
    assert line_of(manager) == ("quiet", "No limit is stated, so no threshold is certified: any that you set is a guess.")


def test_limits_without_a_model_or_without_a_proof_say_so(
    line: Line, manager: Client, now: datetime, request: pytest.FixtureRequest
) -> None:
    state_limits(line, PROMISE)
    assert "none is in service" in line_of(manager)[1]
    request.getfixturevalue("champion")
    assert "nobody has worked out" in line_of(manager)[1]


def test_what_is_missing_is_named(line: Line, champion: ModelVersion, manager: Client, now: datetime) -> None:
    state_limits(line, PROMISE | {("ok", "escape"): 0.0005})
    certify_line(line, champion, by=None, now=now)
    tone, words = line_of(manager)
    assert tone == "warn"
    assert words.startswith("1 of 2 limits certified. Missing: Escape rate: need ")
    assert "more audited items: about" in words


def test_each_notch_says_what_is_proven_for_it(
    line: Line, champion: ModelVersion, manager: Client, dial: Callable[..., PolicyVersion], now: datetime
) -> None:
    state_limits(line, PROMISE)
    found = certify_line(line, champion, by=None, now=now)
    tone, words = line_of(manager)
    assert (tone, words.startswith("Certified for Partial: the model would decide ")) == ("good", True)
    assert "all 2 limits together at 95 % confidence" in words
    dial(Mode.PARTIAL, thresholds={"ok": 0.5})
    assert line_of(manager)[1].startswith("The thresholds in force are not certified.")
    assert "in force</span>" not in manager.get("/lines/phones/").text
    dial(Mode.PARTIAL, thresholds=found.thresholds)
    assert line_of(manager)[0] == "good"
    assert line_of(manager)[1].startswith("In force as certified")
    assert manager.get("/lines/phones/").text.count(": in force</span>") == len(found.thresholds)
    dial(Mode.FULL)
    assert line_of(manager)[0] == "warn"
    assert line_of(manager)[1].startswith("Full is not certified")


def test_the_model_page_shows_the_candidates_proof_beside_the_champions(
    line: Line, champion: ModelVersion, manager: Client, now: datetime, django_assert_num_queries: Callable[[int], Any]
) -> None:
    state_limits(line, PROMISE)
    candidate = version("inspection-test-2")
    TrainingRun.objects.create(line=line, state="done", reason="test", model_version=candidate, created_at=now)
    audit(line, candidate, now, *scored(700, seed=4), role="challenger")
    certify_line(line, champion, by=None, now=now)
    page = manager.get("/lines/phones/models/inspection-test-2/")
    assert [proof.certification is not None for proof in page.context["proofs"]] == [False, True]
    found = certify_line(line, candidate, by=None, now=now)
    with django_assert_num_queries(3 + 11):
        page = manager.get("/lines/phones/models/inspection-test-2/")
    mine, other = page.context["proofs"]
    assert (mine.automates.count, mine.automates.n) == (found.automated, 700)
    assert (mine.is_champion, other.is_champion) == (False, True)


def test_the_model_page_of_a_line_without_limits_has_no_such_table(line: Line, champion: ModelVersion, manager: Client) -> None:
    assert "Certified automation" not in manager.get("/lines/phones/models/inspection-test-1/").text
