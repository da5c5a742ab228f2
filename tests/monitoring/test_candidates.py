"""A candidate is judged on past audits, a turn at a time, and has its certificate before it decides anything."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway import scoring
from gateway.models import Prediction
from inference.kinds.base import Decoded
from inference.models import ModelVersion
from monitoring import candidates
from monitoring.candidates import judge_candidates
from policies.models import Certification, Line
from policies.promises import state_limits
from review.models import TrainingRun
from tests.conftest import Model, version
from tests.monitoring.audit_rows import audit, scored


@pytest.fixture
def candidate(line: Line, model: Model, now: datetime, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """A freshly trained model beside a champion whose five audits are there; photos need no decoding."""
    monkeypatch.setattr(scoring, "_decoded", lambda line, item: Decoded(None, "", 1, 1, {}))  # type: ignore[arg-type]
    audit(line, ModelVersion.objects.get(), now, *scored(5))
    made = version("inspection-test-2")
    TrainingRun.objects.create(line=line, state="done", reason="test", model_version=made, created_at=now)
    return made


def scores_of(candidate: ModelVersion) -> list[str]:
    return list(Prediction.objects.filter(model_version=candidate).values_list("role", flat=True))


def test_it_scores_past_audits_and_is_certified_once(line: Line, candidate: ModelVersion, now: datetime) -> None:
    state_limits(line, {("ok", "escape"): 0.02})
    assert judge_candidates(line, now=now) == 5
    assert scores_of(candidate) == ["challenger"] * 5
    found = Certification.objects.get(model_name=candidate.name)
    assert (found.audits, found.created_by) == (5, None)
    audit(line, ModelVersion.objects.get(name="inspection-test-1"), now, *scored(3, seed=2))
    # The new audits are scored; another certificate is for people to ask for.
    assert judge_candidates(line, now=now) == 3
    assert Certification.objects.filter(model_name=candidate.name).count() == 1


def test_other_limits_are_certified_at_the_next_turn(line: Line, candidate: ModelVersion, now: datetime) -> None:
    state_limits(line, {("ok", "escape"): 0.02})
    judge_candidates(line, now=now)
    state_limits(line, {("ok", "escape"): 0.01})
    judge_candidates(line, now=now)
    assert Certification.objects.filter(model_name=candidate.name).count() == 2


def test_a_turn_ends_before_the_next_begins(
    line: Line, candidate: ModelVersion, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MOST", 2)
    state_limits(line, {("ok", "escape"): 0.02})
    done = []
    for _ in range(2):
        done.append(judge_candidates(line, now=now))
        assert not Certification.objects.filter(model_name=candidate.name).exists()
    done.append(judge_candidates(line, now=now))
    assert done == [2, 2, 1]
    assert Certification.objects.get(model_name=candidate.name).audits == 5


def test_without_limits_it_scores_and_certifies_nothing(line: Line, candidate: ModelVersion, now: datetime) -> None:
    assert judge_candidates(line, now=now) == 5
    assert not Certification.objects.exists()
