"""What the database itself refuses, whatever a program tries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from policies.models import LabelClass, Line, PolicyVersion


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"number": 2}, "one_active_policy_a_line|policies_policyversion.line_id"),
        ({"number": 1, "ended": 0}, "one_policy_number_a_line|policyversion.number"),
        ({"number": 2, "ended": 0, "mode": "autopilot"}, "policy_mode_is_known"),
        ({"number": 2, "ended": 0, "audit_rate": 1.5}, "audit_rate_is_a_share"),
        ({"number": 2, "ended": 0, "audit_rate": -0.5}, "audit_rate_is_a_share"),
        ({"number": 2, "ended": 0, "overlap": 0}, "at_least_one_judgement"),
        ({"number": 2, "ended": -1}, "policy_ends_after_its_start"),
    ],
)
def test_a_policy_that_cannot_be(line: Line, now: datetime, values: dict[str, Any], name: str) -> None:
    ended = values.pop("ended", None)
    values = {"mode": "full", "reason": "r", **values}
    values["superseded_at"] = None if ended is None else now + timedelta(seconds=ended)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        PolicyVersion.objects.create(line=line, created_at=now, **values)


@pytest.mark.parametrize(
    "values",
    [
        {"key": "ok", "position": 9, "hotkey": "x"},
        {"key": "crack", "position": 0, "hotkey": "x"},
        {"key": "crack", "position": 9, "hotkey": "1"},
        {"key": "crack", "position": 9, "hotkey": "x", "is_negative": True},
    ],
)
def test_a_class_that_collides(line: Line, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LabelClass.objects.create(line=line, name="Twice", **values)


def test_a_line_keeps_its_slug_to_itself(line: Line, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Line.objects.create(slug=line.slug, name="Again", question="?", created_at=now)
