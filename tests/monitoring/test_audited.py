"""Which items may judge a model, and that nothing else ever does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from gateway import media
from gateway.models import Item
from inference.models import ModelVersion
from monitoring.certifying import audited
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review.models import DatasetVersion
from tests.conftest import version
from tests.monitoring import rows


@pytest.fixture
def champion(line: Line, dial: Callable[..., PolicyVersion]) -> ModelVersion:
    """A model on a line in partial with an audit sample."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.1)
    return version()


def judged(line: Line, now: datetime, by: ModelVersion, answer: str = "ok", **columns: Any) -> Item:
    """An audited item that the model passed, with its blind label."""
    blind = columns.pop("blind", True)
    item = rows.automated(line, now, "ok", **({"in_audit": True} | columns))
    rows.prediction(item, "ok", 0.9, by, probabilities={"ok": 0.9, "dent": 0.1})
    rows.label(item, answer, now, blind=blind)
    return item


def test_an_audited_item_judges_with_truth_scores_and_time(line: Line, champion: ModelVersion, now: datetime) -> None:
    item = judged(line, now, champion, "dent")
    found = audited(line, champion)
    assert found.items == (item.pk,)
    assert found.classes == ("ok", "scratch", "dent")
    assert found.truths.tolist() == [2]
    # A class that the model said nothing about has 0.
    assert found.probabilities.tolist() == [[0.9, 0.0, 0.1]]
    assert found.times == (item.received_at,)


def test_oldest_first(line: Line, champion: ModelVersion, now: datetime) -> None:
    made = [judged(line, now, champion) for _ in range(3)]
    assert list(audited(line, champion).items) == sorted(item.pk for item in made)


@pytest.mark.parametrize("reason", ["human_only", "shadow"])
def test_modes_that_are_blind_for_everything_need_no_draw(
    line: Line, champion: ModelVersion, now: datetime, reason: str
) -> None:
    judged(line, now, champion, in_audit=False, reason=reason)
    assert len(audited(line, champion)) == 1


def test_what_was_not_drawn_does_not_judge(line: Line, champion: ModelVersion, now: datetime) -> None:
    judged(line, now, champion, in_audit=False, reason="uncertain")
    assert len(audited(line, champion)) == 0


def test_a_judgement_after_seeing_the_prediction_does_not_judge(line: Line, champion: ModelVersion, now: datetime) -> None:
    judged(line, now, champion, blind=False)
    assert len(audited(line, champion)) == 0


def test_a_withdrawn_label_does_not_judge(line: Line, champion: ModelVersion, now: datetime) -> None:
    item = judged(line, now, champion)
    rows.label(item, "", now, supersedes=item.labels.get())
    assert len(audited(line, champion)) == 0


def test_a_corrected_label_judges_once_and_as_it_stands(line: Line, champion: ModelVersion, now: datetime) -> None:
    item = judged(line, now, champion)
    rows.label(item, "scratch", now, supersedes=item.labels.get())
    assert audited(line, champion).truths.tolist() == [1]


def test_what_came_labelled_never_judges(line: Line, champion: ModelVersion, now: datetime) -> None:
    item = judged(line, now, champion, in_audit=False, reason="human_only")
    item.labels.update(source="import")
    rows.label(item, "dent", now, supersedes=item.labels.get())
    assert len(audited(line, champion)) == 0


def test_another_models_word_is_not_this_ones(line: Line, champion: ModelVersion, now: datetime) -> None:
    candidate = version("inspection-test-2")
    item = judged(line, now, champion)
    assert len(audited(line, candidate)) == 0
    rows.prediction(item, "dent", 0.8, candidate, role="challenger", probabilities={"dent": 0.8, "ok": 0.2})
    assert audited(line, candidate).probabilities.tolist() == [[0.2, 0.0, 0.8]]
    assert audited(line, champion).probabilities.tolist() == [[0.9, 0.0, 0.1]]


@pytest.mark.parametrize(("split", "judges"), [("train", 0), ("validation", 0), ("test", 1)])
def test_what_a_model_was_fitted_on_does_not_judge_it(
    line: Line, champion: ModelVersion, now: datetime, split: str, judges: int
) -> None:
    item = judged(line, now, champion)
    manifest = json.dumps({"item": str(item.pk), "split": split}).encode() + b"\n"
    digest = media.store(manifest)
    DatasetVersion.objects.create(line=line, number=1, digest=digest, last_sequence=1, counts={}, created_at=now)
    ModelVersion.objects.filter(pk=champion.pk).update(dataset_digest=digest)
    champion.refresh_from_db()
    assert len(audited(line, champion)) == judges


def test_the_digest_moves_with_truths_scores_and_items(line: Line, champion: ModelVersion, now: datetime) -> None:
    item = judged(line, now, champion)
    digests = [audited(line, champion).digest]
    assert audited(line, champion).digest == digests[0]
    item.predictions.update(probabilities={"ok": 0.8, "dent": 0.2})
    digests.append(audited(line, champion).digest)
    rows.label(item, "dent", now, supersedes=item.labels.get())
    digests.append(audited(line, champion).digest)
    judged(line, now, champion)
    digests.append(audited(line, champion).digest)
    assert len(set(digests)) == 4


def test_it_asks_as_often_however_many_there_are(
    line: Line, champion: ModelVersion, now: datetime, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(5):
        judged(line, now, champion)
    with django_assert_num_queries(3):
        assert len(audited(line, champion)) == 5
