"""A draft on a line's past, against numbers counted by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from scipy.stats import beta

from gateway import deployments
from gateway.models import Item, Role
from inference.models import ModelVersion
from monitoring.trials import SHOWN, is_certified, trial
from policies.changes import Draft
from policies.models import Certificate, Certification, Line, PolicyVersion
from policies.modes import Mode
from policies.promises import state_limits
from tests.conftest import version
from tests.monitoring import rows

Dial = Callable[..., PolicyVersion]
PARTIAL = Draft(Mode.PARTIAL, {"ok": 0.9, "scratch": 0.8}, audit_rate=0.1)


@pytest.fixture
def champion(line: Line, now: datetime) -> ModelVersion:
    """The model in service since a month ago."""
    found = version()
    deployments.deploy(line, found, Role.CHAMPION, by=None, reason="First", now=now - timedelta(days=30))
    return found


def scored(line: Line, now: datetime, champion: ModelVersion | None, said: str, score: float, **columns: Any) -> Item:
    made = rows.item(line, now, **({"reason": "assist", "received_at": now - timedelta(hours=2)} | columns))
    rows.prediction(made, said, score, champion)
    return made


@pytest.fixture
def past(line: Line, now: datetime, champion: ModelVersion, dial: Dial, ines: User) -> list[Item]:
    """Ten items in ten hours: six said good, three scratched, one dented; four of them audited; one look took 6, one 12 s."""
    dial(Mode.ASSIST, audit_rate=0.1)
    oldest = now - timedelta(hours=10)
    made = [
        scored(line, now, champion, "ok", 0.99, draw=0.01, in_audit=True),
        scored(line, now, champion, "ok", 0.95, draw=0.02, in_audit=True),
        scored(line, now, champion, "ok", 0.90),
        scored(line, now, champion, "ok", 0.90),
        scored(line, now, champion, "ok", 0.89),
        scored(line, now, champion, "ok", 0.60, draw=0.03, in_audit=True),
        scored(line, now, champion, "scratch", 0.85, draw=0.04, in_audit=True),
        scored(line, now, champion, "scratch", 0.80),
        scored(line, now, champion, "scratch", 0.70),
        scored(line, now, champion, "dent", 0.99, received_at=oldest),
    ]
    # The second passes and is scratched: an escape. The seventh is rejected and good: overkill.
    for place, truth in ((0, "ok"), (1, "scratch"), (5, "ok"), (6, "ok")):
        rows.label(made[place], truth, now)
    for place, seconds in ((0, 6), (1, 12)):
        asked = rows.referral(made[place], now, reason="audit", state="settled")
        rows.judgement(asked, ines, "ok", now, active_ms=seconds * 1000)
    return made


def test_the_figures_are_those_that_a_hand_counts(line: Line, past: list[Item], now: datetime) -> None:
    found = trial(line, PARTIAL, now=now).evidence
    draft, present = found["draft"], found["present"]
    # Alone: 0.99, 0.95, 0.90, 0.90 as good, 0.85, 0.80 as scratch. People: the other four, and three audited ones of the six.
    assert draft["automated_share"] == pytest.approx(0.6)
    assert draft["referrals_per_hour"] == pytest.approx(0.7)
    assert draft["reviewer_hours"]["value"] == pytest.approx(7 * 9 / 3600)
    escapes = draft["escapes"]
    assert (escapes["n"], escapes["k"]) == (2, 1)
    assert escapes["rate"]["low"] == pytest.approx(beta.ppf(0.025, 1, 2))
    assert escapes["rate"]["high"] == pytest.approx(beta.ppf(0.975, 2, 1))
    # One in two of the four that it passes.
    assert escapes["expected"]["value"] == pytest.approx(2)
    overkill = draft["overkill"]
    assert (overkill["n"], overkill["k"], overkill["rate"]["value"]) == (3, 1, pytest.approx(1 / 3))
    # One in the four audited, of ten items.
    assert overkill["expected"]["value"] == pytest.approx(2.5)
    # In assist people look at everything and the model decides nothing.
    assert (present["automated_share"], present["referrals_per_hour"]) == (0, pytest.approx(1))
    assert (present["escapes"]["rate"], present["overkill"]["k"]) == (None, 0)
    assert (found["items"], found["audited"], found["judgements"], found["hours"]) == (10, 4, 2, pytest.approx(10))
    assert (found["policy"], found["model"], found["days"], found["all_items"]) == (2, "inspection-test-1", 14, True)


def test_the_flipped_items_are_named_the_least_sure_first(line: Line, past: list[Item], now: datetime) -> None:
    flips = trial(line, PARTIAL, now=now).evidence["flips"]
    assert flips["count"] == 6
    assert [row["score"] for row in flips["items"]] == [0.8, 0.85, 0.9, 0.9, 0.95, 0.99]
    assert (flips["items"][0]["id"], flips["items"][0]["before"], flips["items"][0]["after"]) == (
        str(past[7].pk),
        None,
        "scratch",
    )


def test_no_more_are_named_than_a_page_shows(line: Line, champion: ModelVersion, now: datetime) -> None:
    for _ in range(SHOWN + 3):
        scored(line, now, champion, "ok", 0.95)
    flips = trial(line, PARTIAL, now=now).evidence["flips"]
    assert (flips["count"], len(flips["items"])) == (SHOWN + 3, SHOWN)


def test_several_judgements_of_audited_items_are_several_looks(line: Line, past: list[Item], now: datetime) -> None:
    """Seven items are looked at; four of them are audited and get three judgements each."""
    found = trial(line, Draft(Mode.PARTIAL, PARTIAL.thresholds, 0.1, overlap=3), now=now).evidence["draft"]
    assert found["reviewer_hours"]["value"] == pytest.approx((7 + 2 * 4) * 9 / 3600)
    assert found["referrals_per_hour"] == pytest.approx(0.7)


def test_only_the_present_model_and_the_window_are_tried(line: Line, past: list[Item], now: datetime) -> None:
    scored(line, now, version("inspection-test-0"), "ok", 0.99)
    scored(line, now, version_of(past), "ok", 0.99, received_at=now - timedelta(days=15))
    challenged = rows.item(line, now)
    rows.prediction(challenged, "ok", 0.99, version_of(past), role="challenger")
    assert trial(line, PARTIAL, now=now).evidence["items"] == 10
    assert trial(line, PARTIAL, days=1, now=now).evidence["items"] == 10


def version_of(past: list[Item]) -> ModelVersion:
    return past[0].predictions.get().model_version


def test_what_the_model_had_no_answer_to_goes_to_people_in_every_mode(line: Line, past: list[Item], now: datetime) -> None:
    rows.label(rows.item(line, now, reason="model_unavailable", draw=0.05, in_audit=True), "ok", now)
    found = trial(line, Draft(Mode.FULL, audit_rate=0.1), now=now).evidence
    assert found["items"] == 11
    assert found["draft"]["automated_share"] == pytest.approx(10 / 11)
    # It is one of the good items, and nobody rejected it.
    assert found["draft"]["overkill"]["n"] == 4


@pytest.mark.parametrize(
    "columns",
    [{"blind": False}, {"in_audit": False}, {"source": "import"}],
    ids=["seen", "chosen by its score", "imported"],
)
def test_what_is_no_blind_random_label_says_nothing(
    line: Line, past: list[Item], now: datetime, columns: dict[str, Any]
) -> None:
    rows.label(past[2], "dent", now, **({"blind": True, "in_audit": True} | columns))
    assert trial(line, PARTIAL, now=now).evidence["audited"] == 4


def test_a_corrected_label_counts_as_corrected(line: Line, past: list[Item], now: datetime) -> None:
    rows.label(past[1], "ok", now, supersedes=past[1].labels.get())
    found = trial(line, PARTIAL, now=now).evidence
    assert (found["draft"]["escapes"]["n"], found["draft"]["escapes"]["k"]) == (2, 0)
    assert found["audited"] == 4


def test_in_shadow_every_blind_label_counts(line: Line, champion: ModelVersion, now: datetime) -> None:
    rows.label(scored(line, now, champion, "ok", 0.95, reason="shadow"), "dent", now)
    assert trial(line, PARTIAL, now=now).evidence["draft"]["escapes"]["k"] == 1


def test_a_line_without_a_past_has_an_empty_trial(line: Line, now: datetime) -> None:
    found = trial(line, PARTIAL, now=now).evidence
    assert (found["items"], found["flips"], found["from"], found["certified"]) == (0, {"count": 0, "items": []}, None, None)
    assert found["draft"]["reviewer_hours"] is None


def test_the_evidence_is_json_that_every_database_takes(line: Line, past: list[Item], ines: User, now: datetime) -> None:
    """One judgement alone gives an interval without an upper end."""
    past[0].judgements.all().delete()
    text = json.dumps(trial(line, PARTIAL, now=now).evidence, allow_nan=False)
    assert json.loads(text)["draft"]["reviewer_hours"]["high"] is None


def certify(line: Line, champion: ModelVersion, now: datetime, **columns: Any) -> Certification:
    """A certification of the line's one limit."""
    values = {"model_name": champion.name, "weights_digest": champion.weights_digest, "delta": line.delta, "audits": 4}
    values |= {"thresholds": {"ok": 0.95}, "data_digest": "0" * 64, "created_at": now}
    made = Certification.objects.create(line=line, **(values | columns))
    Certificate.objects.create(certification=made, label="ok", form="escape", epsilon=0.005, n=4, k=0, bound=0.004)
    return made


def test_the_certified_thresholds_stand_beside_and_are_tried_first(
    line: Line, past: list[Item], champion: ModelVersion, now: datetime
) -> None:
    state_limits(line, {("ok", "escape"): 0.005})
    proof = certify(line, champion, now)
    found = trial(line, None, now=now)
    assert (found.certification, found.columns) == (proof, ["present", "draft", "certified"])
    assert (found.draft.mode, found.draft.thresholds, found.draft.audit_rate) == (Mode.PARTIAL, {"ok": 0.95}, 0.1)
    assert found.evidence["certified"]["automated_share"] == pytest.approx(0.2)
    assert found.evidence["certification"] == proof.pk


@pytest.mark.parametrize("columns", [{"weights_digest": "1" * 64}, {"delta": 0.2}], ids=["another model", "another confidence"])
def test_another_certification_proves_nothing(
    line: Line, past: list[Item], champion: ModelVersion, now: datetime, columns: dict[str, Any]
) -> None:
    state_limits(line, {("ok", "escape"): 0.005})
    certify(line, champion, now, **columns)
    found = trial(line, None, now=now)
    assert (found.certification, found.certified, found.draft.mode) == (None, None, Mode.ASSIST)


def test_a_certification_of_other_limits_proves_nothing(
    line: Line, past: list[Item], champion: ModelVersion, now: datetime
) -> None:
    state_limits(line, {("ok", "escape"): 0.001})
    certify(line, champion, now)
    assert trial(line, None, now=now).certification is None


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (Draft(Mode.PARTIAL, {"ok": 0.95}), True),
        (Draft(Mode.PARTIAL, {}), True),
        (Draft(Mode.PARTIAL, {"ok": 0.94}), False),
        (Draft(Mode.PARTIAL, {"ok": 0.95, "dent": 1.0}), False),
        (Draft(Mode.FULL, {"ok": 0.95}), False),
        (Draft(Mode.ASSIST, {"ok": 0.1}), True),
    ],
)
def test_what_counts_as_certified(line: Line, champion: ModelVersion, now: datetime, draft: Draft, expected: bool) -> None:
    assert is_certified(draft, certify(line, champion, now)) is expected
    assert is_certified(draft, None) is (draft.mode is Mode.ASSIST)
