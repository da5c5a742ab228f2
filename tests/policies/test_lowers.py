"""What counts as lowering automation, which waits for nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.automation import lowers
from policies.changes import Draft
from policies.decide import Route, Rule, decide
from policies.modes import Mode

KEYS = ("ok", "scratch")
PARTIAL = Draft(Mode.PARTIAL, {"ok": 0.9}, audit_rate=0.1, due_seconds=60)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"mode": Mode.ASSIST}, True),
        ({"mode": Mode.HUMAN_ONLY}, True),
        ({"mode": Mode.FULL}, False),
        ({"thresholds": {"ok": 0.95}}, True),
        ({"thresholds": {}}, True),
        ({"thresholds": {"ok": 0.89}}, False),
        ({"thresholds": {"ok": 0.9, "scratch": 0.99}}, False),
        # Thresholds that sink behind a lowered mode would come in unseen when it rises again.
        ({"mode": Mode.ASSIST, "thresholds": {"ok": 0.5}}, False),
        ({"mode": Mode.ASSIST, "audit_rate": 0.05}, False),
        ({"audit_rate": 0.2, "overlap": 2}, True),
        ({"audit_rate": 0.09}, False),
        ({"due_seconds": 0}, False),
        ({"due_seconds": 30}, False),
        ({"fail_safe": "scratch"}, False),
    ],
)
def test_from_partial(changes: dict[str, Any], expected: bool) -> None:
    assert lowers(PARTIAL, replace(PARTIAL, **changes)) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # From full every threshold is a step down.
        (Draft(Mode.FULL), Draft(Mode.PARTIAL, {"ok": 0.5}), True),
        (Draft(Mode.FULL), Draft(Mode.ASSIST), True),
        (Draft(Mode.FULL), Draft(Mode.FULL, {"ok": 0.5}), False),
        (Draft(Mode.ASSIST, {"ok": 0.9}), Draft(Mode.PARTIAL, {"ok": 0.9}), False),
        (Draft(Mode.SHADOW), Draft(Mode.ASSIST), False),
        (Draft(Mode.PARTIAL, {"ok": 0.9}, overlap=2), Draft(Mode.PARTIAL, {"ok": 0.9}, overlap=1), False),
    ],
)
def test_between_notches(before: Draft, after: Draft, expected: bool) -> None:
    assert lowers(before, after) is expected


shares = st.sampled_from([0.0, 0.1, 0.5, 0.7, 0.9, 1.0])
thresholds = st.dictionaries(st.sampled_from(KEYS), st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]))
drafts = st.builds(Draft, st.sampled_from(list(Mode)), thresholds, shares, st.integers(1, 2))


@given(drafts, drafts, shares, st.floats(0, 1, exclude_max=True))
def test_what_lowers_decides_nothing_new_and_hides_nothing(before: Draft, after: Draft, ok: float, draw: float) -> None:
    """The rule itself is the judge: whatever a lowering change lets the model decide, it decided so before."""
    if not lowers(before, after):
        return
    was, becomes = (
        decide(Rule(one.mode, one.thresholds, one.audit_rate), {"ok": ok, "scratch": 1 - ok}, draw) for one in (before, after)
    )
    if becomes.route is Route.AUTOMATE:
        assert (was.route, was.answer) == (Route.AUTOMATE, becomes.answer)
    if was.look is not None:
        assert becomes.look is not None
    assert becomes.audit or not was.audit


@given(drafts)
def test_the_same_again_lowers(draft: Draft) -> None:
    assert lowers(draft, draft)


@given(drafts, drafts, drafts)
def test_two_steps_down_are_a_step_down(first: Draft, second: Draft, third: Draft) -> None:
    """Else what is not allowed in one step would be in two. Nothing else can break it but thresholds kept behind the dial."""
    if lowers(first, second) and lowers(second, third) and first.mode is not Mode.FULL:
        assert lowers(first, third)
