"""What a policy may not be, and what the manager reads then."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from policies.changes import Draft, check_draft
from policies.errors import InvalidPolicy
from policies.modes import Mode

GOOD = Draft(Mode.PARTIAL, {"ok": 0.9, "scratch": 1.0}, audit_rate=0.05, overlap=2, due_seconds=60, fail_safe="scratch")


def check(**values: Any) -> None:
    check_draft(replace(GOOD, **values), classes=["ok", "scratch"], negative="ok")


@pytest.mark.parametrize(
    "values",
    [{}, {"fail_safe": "hold"}, {"audit_rate": 0}, {"audit_rate": 1}, {"overlap": 9}, {"due_seconds": 0}, {"thresholds": {}}],
)
def test_good_drafts_pass(values: dict[str, Any]) -> None:
    check(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"thresholds": {"crack": 0.9}}, "There is no class 'crack'; the line has ok, scratch."),
        ({"thresholds": {"ok": 0}}, "The threshold of ok must be above 0 and at most 1, not 0."),
        ({"thresholds": {"ok": 1.01}}, "must be above 0 and at most 1, not 1.01."),
        ({"thresholds": {"ok": -0.5}}, "not -0.5."),
        ({"thresholds": {"ok": math.nan}}, "not nan."),
        ({"thresholds": {"ok": math.inf}}, "not inf."),
        ({"thresholds": {"ok": "0.9"}}, "not '0.9'."),
        ({"thresholds": {"ok": None}}, "not None."),
        ({"audit_rate": -0.01}, "The audit rate must be between 0 and 1, not -0.01."),
        ({"audit_rate": 1.01}, "not 1.01."),
        ({"audit_rate": math.nan}, "not nan."),
        ({"overlap": 0}, "An audited item gets between 1 and 9 judgements, not 0."),
        ({"overlap": 10}, "between 1 and 9 judgements, not 10."),
        ({"due_seconds": -1}, "The due time cannot be negative."),
        ({"due_seconds": 10**12}, "The due time is at most 2147483647 seconds, not 1000000000000."),
        ({"fail_safe": "ok"}, "An item that nobody judged must not pass as 'ok': choose hold or a defect class."),
        ({"fail_safe": "crack"}, "The fail-safe must be hold or a defect class, not 'crack'."),
        ({"fail_safe": ""}, "The fail-safe must be hold or a defect class, not ''."),
    ],
)
def test_a_bad_draft_is_refused_with_what_is_wrong(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPolicy) as refusal:
        check(**values)
    assert words in refusal.value.detail
    assert refusal.value.status == 422
