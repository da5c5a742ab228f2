"""Dataset versions: the standing labels, frozen under a digest, each item on the side where it always was."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import media
from gateway.models import Event
from policies.models import Line
from review.datasets import freeze, rows_of, standing_labels
from review.errors import NothingLabelled
from review.models import DatasetVersion, Label
from tests.review.people import arrive, change, judge


def test_nothing_labelled_makes_no_dataset(line: Line, now: datetime) -> None:
    arrive(line, now=now)
    with pytest.raises(NothingLabelled) as refused:
        freeze(line, by=None, now=now)
    assert refused.value.status == 409 and not DatasetVersion.objects.exists()


def test_the_manifest_says_everything_that_training_takes(line: Line, ines: User, now: datetime) -> None:
    (item,) = arrive(line, now=now, names=["SN-1"])
    box = {"label": "dent", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
    judge(line, ines, "dent", now, regions=[box])
    version = freeze(line, by=ines, now=now)
    (row,) = rows_of(version)
    split = row.pop("split")
    assert row == {
        "item": str(item.pk),
        "external_id": "SN-1",
        "photo": item.media_digest,
        "media_type": "image/jpeg",
        "width": 48,
        "height": 32,
        "answer": "dent",
        "regions": [box],
        "mask": "",
        "source": "judgement",
        "blind": True,
        "in_audit": False,
        "inclusion_probability": 1.0,
        "sequence": 1,
    }
    assert (version.number, version.last_sequence, version.counts) == (1, 1, {split: {"dent": 1}})
    assert (version.created_by, version.created_at) == (ines, now)
    assert Event.objects.get(kind="dataset.frozen").data == {"rows": 1}


def test_the_digest_is_that_of_the_manifest(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    for answer in ("ok", "dent", "ok"):
        judge(line, ines, answer, now)
    version = freeze(line, by=None, now=now)
    data = media.load(version.digest)
    assert hashlib.sha256(data).hexdigest() == version.digest
    assert len(data.splitlines()) == 3


def test_the_same_labels_are_the_same_version(line: Line, ines: User, now: datetime) -> None:
    arrive(line, 3, now=now)
    old = judge(line, ines, "ok", now)
    first = freeze(line, by=None, now=now)
    assert freeze(line, by=ines, now=now) == first
    change(ines, old, "dent", now)
    second = freeze(line, by=None, now=now)
    assert (second.number, second.last_sequence) == (2, 2) and second.digest != first.digest
    assert [row["answer"] for row in rows_of(first)] == ["ok"], "what is frozen stays as it was"
    assert DatasetVersion.objects.count() == Event.objects.filter(kind="dataset.frozen").count() == 2


def test_only_what_stands_is_in_it(line: Line, ines: User, now: datetime) -> None:
    kept, withdrawn, corrected = arrive(line, 3, now=now)
    judge(line, ines, "ok", now)
    change(ines, judge(line, ines, "ok", now), "", now)
    change(ines, judge(line, ines, "ok", now), "dent", now)
    assert {(row["item"], row["answer"]) for row in rows_of(freeze(line, by=None, now=now))} == {
        (str(kept.pk), "ok"),
        (str(corrected.pk), "dent"),
    }
    assert Label.objects.filter(item=withdrawn).count() == 2


def test_lines_have_datasets_of_their_own(line: Line, other_line: Line, ines: User, now: datetime) -> None:
    arrive(line, now=now)
    judge(line, ines, "ok", now)
    arrive(other_line, now=now)
    judge(other_line, ines, "crack", now)
    assert freeze(line, by=None, now=now).number == freeze(other_line, by=None, now=now).number == 1
    assert [label.answer for label in standing_labels(other_line)] == ["crack"]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_item_changes_sides_from_version_to_version(line: Line, ines: User, now: datetime, data: Any) -> None:
    """Whatever is added, corrected or withdrawn in between; and photos of one unit stay together."""
    units = data.draw(st.lists(st.sampled_from(["", "A", "B", "C", "D", "E"]), min_size=1, max_size=5))
    before = {label.item_id: label for label in standing_labels(line)}
    sides = {row["item"]: row["split"] for row in rows_of(freeze(line, by=None, now=now))} if before else {}
    arrive(line, now=now, names=units)
    for _ in units:
        judge(line, ines, data.draw(st.sampled_from(["ok", "dent"])), now)
    rows = list(rows_of(freeze(line, by=None, now=now)))
    assert sides.items() <= {row["item"]: row["split"] for row in rows}.items()
    by_unit: dict[str, set[str]] = {}
    for row in rows:
        by_unit.setdefault(row["external_id"] or row["photo"], set()).add(row["split"])
    assert all(len(one) == 1 for one in by_unit.values())
