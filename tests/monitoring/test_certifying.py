"""Certificates as they are kept: the mathematics' own figures, once for the same data, shortages where proof is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest
from django.contrib.auth.models import User

from inference.models import ModelVersion
from monitoring.certifying import audited, certify_line, whole
from monitoring.selectors import audits
from policies.certify import words
from policies.certify.certify import certify
from policies.certify.looks import part_of_delta
from policies.certify.scored import lean
from policies.errors import InvalidPolicy
from policies.models import Certification, Line
from policies.promises import state_limits
from tests.conftest import version
from tests.monitoring.audit_rows import audit, scored

PROMISE = {("ok", "escape"): 0.02, ("ok", "overkill"): 0.05}
LIMITS = [words.Limit(0, words.Form.ESCAPE, 0.02), words.Limit(0, words.Form.OVERKILL, 0.05)]


@pytest.fixture
def champion(line: Line) -> ModelVersion:
    """The model whose words are judged."""
    return version()


@pytest.fixture
def proven(line: Line, champion: ModelVersion, now: datetime) -> Line:
    """A line with limits and enough audits for them."""
    state_limits(line, PROMISE)
    audit(line, champion, now, *scored(800))
    return line


def test_the_kept_figures_are_those_of_the_mathematics(proven: Line, champion: ModelVersion, max_: User, now: datetime) -> None:
    truths, probabilities = scored(800)
    expected = certify(truths, whole(probabilities), LIMITS, part_of_delta(0.05, 1))
    kept = certify_line(proven, champion, by=max_, now=now)
    rows = list(kept.certificates.all())
    assert [(row.label, row.form, row.n, row.k, row.bound) for row in rows] == [
        ("ok", one.form, one.n, one.k, one.bound) for one in expected.certificates
    ]
    assert len(rows) == 2
    assert rows[0].bound <= 0.02
    assert (kept.audits, kept.created_by, kept.model_name, kept.reference) == (800, max_, champion.name, 0)
    assert (kept.sample_from, kept.sample_to) == tuple(sorted(audited(proven, champion).times)[:: 800 - 1])


def test_a_kept_threshold_decides_what_the_certificate_counted(proven: Line, champion: ModelVersion, now: datetime) -> None:
    """The thresholds that go into a policy have eight digits: they let in just the items that were counted, none more."""
    kept = certify_line(proven, champion, by=None, now=now)
    assert all(round(value, 8) == value for value in kept.thresholds.values())
    sample = audited(proven, champion)
    model = lean(sample.probabilities)
    passed = (model.said == 0) & (model.score >= kept.thresholds["ok"])
    escape = kept.certificates.get(form="escape")
    assert (escape.n, escape.k) == (int(passed.sum()), int((passed & (sample.truths != 0)).sum()))
    needed = np.array([kept.thresholds.get(key, np.inf) for key in sample.classes])
    assert kept.automated == int((model.score >= needed[model.said]).sum()) > 0


@pytest.mark.parametrize(("score", "passes"), [(0.29, False), (0.290000001, False), (0.29000001, True)])
def test_scores_are_cut_where_thresholds_end(score: float, passes: bool) -> None:
    assert (whole(np.array([score]))[0] >= 0.29000001) == passes
    assert whole(np.array([0.29]))[0] == 0.29


def test_the_same_data_is_certified_once(proven: Line, champion: ModelVersion, max_: User, now: datetime) -> None:
    first = certify_line(proven, champion, by=None, now=now)
    assert certify_line(proven, champion, by=max_, now=now) == first
    assert Certification.objects.count() == 1


def test_new_audits_other_limits_or_another_confidence_are_certified_anew(
    proven: Line, champion: ModelVersion, now: datetime
) -> None:
    rows = [certify_line(proven, champion, by=None, now=now)]
    audit(proven, champion, now, *scored(5, seed=2))
    rows.append(certify_line(proven, champion, by=None, now=now))
    state_limits(proven, PROMISE | {("ok", "escape"): 0.03})
    rows.append(certify_line(proven, champion, by=None, now=now))
    state_limits(proven, PROMISE | {("ok", "escape"): 0.03}, delta=0.1)
    rows.append(certify_line(proven, champion, by=None, now=now))
    assert len({row.pk for row in rows}) == 4
    assert rows[0].data_digest != rows[1].data_digest == rows[2].data_digest


def test_too_few_audits_leave_a_shortage_and_no_threshold(line: Line, champion: ModelVersion, now: datetime) -> None:
    state_limits(line, PROMISE)
    audit(line, champion, now, *scored(60))
    kept = certify_line(line, champion, by=None, now=now)
    escape = kept.certificates.get(form="escape")
    assert (escape.certified, escape.n, escape.bound, escape.thresholds) == (False, 60, None, {})
    assert escape.missing is not None and escape.missing > 50
    assert "ok" not in kept.thresholds
    assert kept.automated == 0


def test_a_line_without_an_audit_has_only_shortages(line: Line, champion: ModelVersion, now: datetime) -> None:
    state_limits(line, PROMISE)
    kept = certify_line(line, champion, by=None, now=now)
    assert (kept.audits, kept.sample_from, kept.thresholds, kept.automated) == (0, None, {}, 0)
    assert not any(row.certified for row in kept.certificates.all())


def test_without_limits_there_is_nothing_to_certify(line: Line, champion: ModelVersion, now: datetime) -> None:
    with pytest.raises(InvalidPolicy, match="no limits"):
        certify_line(line, champion, by=None, now=now)


def test_other_items_of_the_stream_place_the_thresholds(
    proven: Line, champion: ModelVersion, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "LEAST_REFERENCE", 300)
    _, others = scored(300, seed=3)
    audit(proven, champion, now, [], others, labelled=False)
    kept = certify_line(proven, champion, by=None, now=now)
    truths, probabilities = scored(800)
    # Newest first, which says nothing to a grid of quantiles.
    expected = certify(truths, whole(probabilities), LIMITS, part_of_delta(0.05, 1), whole(others[::-1]))
    assert kept.reference == 300
    assert [(row.n, row.k, row.bound) for row in kept.certificates.all()] == [
        (one.n, one.k, one.bound) for one in expected.certificates
    ]


def test_too_few_others_leave_the_thresholds_to_the_audited(proven: Line, champion: ModelVersion, now: datetime) -> None:
    audit(proven, champion, now, [], scored(300, seed=3)[1], labelled=False)
    assert certify_line(proven, champion, by=None, now=now).reference == 0


def test_a_certificate_speaks_about_one_model(
    proven: Line, champion: ModelVersion, now: datetime, django_assert_num_queries: Callable[..., object]
) -> None:
    candidate = version("inspection-test-2")
    audit(proven, candidate, now, *scored(700, seed=4), role="challenger")
    mine, other = (certify_line(proven, one, by=None, now=now) for one in (champion, candidate))
    assert (mine.audits, other.audits) == (800, 700)
    with django_assert_num_queries(6):
        assert certify_line(proven, champion, by=None, now=now) == mine


def test_each_look_at_more_audits_has_its_own_part_of_delta(proven: Line, champion: ModelVersion, now: datetime) -> None:
    first = certify_line(proven, champion, by=None, now=now)
    audit(proven, champion, now, *scored(400, seed=9))
    second = certify_line(proven, champion, by=None, now=now)
    assert (first.look, second.look) == (1, 2)
    assert first.certificates.first().level == pytest.approx(2 * 3 / 2 * second.certificates.first().level)


def test_a_look_at_so_few_audits_that_nothing_could_pass_has_spent_nothing(
    line: Line, champion: ModelVersion, now: datetime
) -> None:
    state_limits(line, PROMISE)
    audit(line, champion, now, *scored(40))
    assert certify_line(line, champion, by=None, now=now).look == 1
    audit(line, champion, now, *scored(800, seed=5))
    assert certify_line(line, champion, by=None, now=now).look == 1
