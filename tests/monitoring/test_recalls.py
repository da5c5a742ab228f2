"""Recalls: what opens one, which decisions are candidates, in which order, and what a manager can do about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from gateway.errors import BadField, MovedMeanwhile
from gateway.models import Event, Item, Referral
from inference.models import ModelVersion
from monitoring.models import Recall
from monitoring.recalls import dismiss, open_recalls, send
from monitoring.selectors.recall_page import recall_page
from monitoring.selectors.siblings import candidates, nearest, ranked
from policies.certify.binomial import lower_bound, upper_bound
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review import claims
from review.answers import Answer
from review.judging import judge
from tests.conftest import version
from tests.monitoring import rows
from tests.monitoring.guarded import audit, decided, found_wrong

Dial = Callable[..., PolicyVersion]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def full(line: Line, dial: Dial) -> Line:
    """The line in full."""
    dial(Mode.FULL, audit_rate=0.1)
    return line


@pytest.fixture
def model(db: None) -> ModelVersion:
    """Who decided."""
    return version()


def test_a_wrong_decision_opens_one_recall(full: Line, model: ModelVersion, now: datetime) -> None:
    clean = audit(full, now, "ok", "ok", version=model, received_at=now - 5 * MINUTE)
    audit(full, now, "ok", "ok", version=model, received_at=now - 9 * MINUTE)
    audit(full, now, "dent", "dent", version=model, received_at=now - 2 * MINUTE)
    audit(full, now, "ok", "ok", received_at=now - 2 * MINUTE)  # another model's
    audit(full, now, "ok", "ok", version=model, received_at=now)  # after it
    item = found_wrong(full, now, version=model, received_at=now - MINUTE)
    (recall,) = open_recalls(full, now=now)
    assert (recall.item, recall.label, recall.truth, recall.model_version) == (item, "ok", "dent", model)
    assert (recall.since, recall.until, recall.state) == (clean.received_at, now, "open")
    assert open_recalls(full, now=now) == []
    assert Event.objects.get(kind="recall.opened").item == item


def test_without_a_clean_audit_before_it_goes_back_to_the_start(full: Line, now: datetime) -> None:
    found_wrong(full, now)
    (recall,) = open_recalls(full, now=now)
    assert recall.since is None


def test_what_opens_none(full: Line, now: datetime) -> None:
    audit(full, now, "ok", "ok")  # confirmed
    found_wrong(full, now, reason="recall")  # it belongs to the recall that found it
    item = found_wrong(full, now)
    item.labels.update(blind=False)  # somebody had seen the prediction
    taken_back = found_wrong(full, now)
    Item.objects.filter(pk=taken_back.pk).update(state="referred", answer="", decided_by="")
    rows.label(rows.item(full, now, state="decided", answer="dent", decided_by="person"), "dent", now)  # a person's own
    assert open_recalls(full, now=now) == []


@pytest.fixture
def recall(full: Line, model: ModelVersion, now: datetime) -> Recall:
    """A recall after an item of camera A, score 0.91, brightness 100."""
    audit(full, now, "ok", "ok", version=model, received_at=now - 9 * MINUTE)
    sibling(full, model, now, in_audit=True, wrong=True)
    (opened,) = open_recalls(full, now=now)
    return opened


def sibling(
    line: Line,
    model: ModelVersion | None,
    now: datetime,
    score: float = 0.91,
    *,
    wrong: bool = False,
    brightness: float | None = 100.0,
    source: str = "A",
    minutes: int = 5,
    **columns: Any,
) -> Item:
    """A decision of the model for ok."""
    look = {"brightness": brightness, "contrast": 40.0, "sharpness": 5.0, "source": source}
    columns |= look | {"received_at": now - minutes * MINUTE, "version": model}
    if wrong:
        columns.pop("in_audit")
        item = found_wrong(line, now, **columns)
    else:
        item = decided(line, now, columns.pop("said", "ok"), **columns)
    rows.prediction(item, "ok", score, model)
    return item


def test_candidates_are_standing_unaudited_decisions_of_its_kind(
    recall: Recall, full: Line, model: ModelVersion, now: datetime
) -> None:
    wanted = {sibling(full, model, now, minutes=minutes).pk for minutes in (0, 5, 9)}
    sibling(full, model, now, minutes=10)  # before the last clean audit
    sibling(full, model, now, minutes=-1)  # after the error was found
    sibling(full, None, now)  # another model's
    sibling(full, model, now, said="dent")
    sibling(full, model, now, in_audit=True)
    sibling(full, model, now, decided_by="person", revision=2)
    rows.referral(sibling(full, model, now), now, reason="recall", state="settled")  # sent before
    assert set(candidates(recall).values_list("item_id", flat=True)) == wanted


def test_the_nearest_come_first(recall: Recall, full: Line, model: ModelVersion, now: datetime) -> None:
    far = sibling(full, model, now, 0.99, brightness=160.0, source="B")
    other_source = sibling(full, model, now, 0.911, source="B")
    near = sibling(full, model, now, 0.912, brightness=101.0)
    darker = sibling(full, model, now, 0.91, brightness=60.0)
    found = nearest(recall)
    assert [one.item for one in found] == [near.pk, darker.pk, other_source.pk, far.pk]
    assert [one.distance for one in found] == sorted(one.distance for one in found)


def test_the_distance_is_the_documented_one() -> None:
    itself = (None, 0.5, "A", 10.0, 1.0, None)
    others = [("x", 0.7, "B", 10.0, 1.0, 3.0), ("y", 0.5, "A", 14.0, 1.0, 3.0)]
    first, second = ranked(itself, others)  # type: ignore[arg-type]
    # Scores lie 0.1 around their mean, brightness 2; contrast is the same for all, and sharpness of the item is not known.
    assert (first.item, first.distance) == ("y", pytest.approx(0 + 0 + (4 / 2 + 0 + 1) / 3, abs=1e-4))
    assert (second.item, second.distance) == ("x", pytest.approx(0.2 / 0.1 + 1 + (0 + 0 + 1) / 3, abs=1e-4))


def test_expected_errors_come_from_audited_siblings(recall: Recall, full: Line, model: ModelVersion, now: datetime) -> None:
    for _ in range(8):
        audit(full, now, "ok", "ok", version=model)
    audit(full, now, "ok", "dent")  # another model's
    for _ in range(30):
        sibling(full, model, now)
    page = recall_page(recall)
    # The clean one before, the wrong one, and eight more.
    assert (page.count, page.expected.k, page.expected.n) == (30, 1, 10)
    assert page.expected.errors == pytest.approx(3.0)
    assert page.expected.low == pytest.approx(30 * float(lower_bound(1, 10, 0.025)))
    assert page.expected.high == pytest.approx(30 * float(upper_bound(1, 10, 0.025)))
    assert (len(page.shown), page.offered) == (24, 24)


def test_sending_asks_people_blind_with_few_queries(
    recall: Recall, full: Line, model: ModelVersion, max_: User, now: datetime, django_assert_max_num_queries: Any
) -> None:
    items = [sibling(full, model, now, 0.90 - number / 100) for number in range(12)]
    with django_assert_max_num_queries(14):
        assert send(recall, 10, by=max_, now=now) == 10
    asked = Referral.objects.filter(reason="recall")
    assert set(asked.values_list("item_id", flat=True)) == {item.pk for item in items[:10]}
    assert set(asked.values_list("blind", "wanted", "state", "priority")) == {(True, 1, "open", 20)}
    assert f"{recall.item.external_id} was decided as ok and is dent" in asked.first().note  # type: ignore[union-attr]
    # What the model decided stands meanwhile.
    standing = Item.objects.filter(pk__in=[item.pk for item in items]).values_list("state", "decided_by")
    assert set(standing) == {("decided", "model")}
    recall.refresh_from_db()
    assert (recall.state, recall.sent, recall.handled_by) == ("sent", 10, max_)
    assert Event.objects.filter(kind="referral.opened").count() == 10
    assert Event.objects.get(kind="recall.sent").data == {"recall": recall.pk, "items": 10}
    # The rest can follow, and nobody is asked twice.
    assert send(recall, 10, by=max_, now=now) == 2
    assert recall_page(recall).count == 0


@pytest.mark.parametrize("count", [0, -1, 501])
def test_a_count_that_makes_no_sense_is_refused(recall: Recall, max_: User, now: datetime, count: int) -> None:
    with pytest.raises(BadField):
        send(recall, count, by=max_, now=now)


def test_two_managers_at_once_send_once(recall: Recall, full: Line, model: ModelVersion, max_: User, now: datetime) -> None:
    sibling(full, model, now)
    other = Recall.objects.get(pk=recall.pk)
    send(recall, 1, by=max_, now=now)
    with pytest.raises(MovedMeanwhile):
        send(other, 1, by=max_, now=now)
    with pytest.raises(MovedMeanwhile):
        dismiss(other, by=max_, reason="no", now=now)
    assert Referral.objects.filter(reason="recall").count() == 1


def test_dismissing_needs_a_reason_and_ends_it(recall: Recall, full: Line, max_: User, now: datetime) -> None:
    with pytest.raises(BadField):
        dismiss(recall, by=max_, reason=" ", now=now)
    dismiss(recall, by=max_, reason="A single scratch", now=now)
    recall.refresh_from_db()
    assert (recall.state, recall.note, recall.handled_by) == ("dismissed", "A single scratch", max_)
    assert Event.objects.get(kind="recall.dismissed").reason == "A single scratch"
    with pytest.raises(MovedMeanwhile):
        send(recall, 1, by=max_, now=now)
    assert open_recalls(full, now=now) == []


def test_a_judged_sibling_supersedes_and_opens_no_other_recall(
    recall: Recall, full: Line, model: ModelVersion, max_: User, ines: User, now: datetime
) -> None:
    item = sibling(full, model, now)
    send(recall, 1, by=max_, now=now)
    (claim,) = claims.take(full, ines, want=1, now=now)
    judge(ines, claim.pk, Answer("dent"), idempotency_key="k", now=now)
    item.refresh_from_db()
    assert (item.answer, item.decided_by, item.revision) == ("dent", "person", 2)
    assert open_recalls(full, now=now) == []
    assert (recall_page(recall).progress.judged, recall_page(recall).progress.wrong) == (1, 1)
