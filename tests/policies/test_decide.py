"""What the rule says, as a table: every mode, with and without a model's answer, in and out of the audit sample."""

from __future__ import annotations

import pytest

from policies.decide import Look, Reason, Route, Rule, decide
from policies.modes import Mode

SURE = {"ok": 0.95, "scratch": 0.05}
BROKEN = {"ok": 0.08, "scratch": 0.92}
UNSURE = {"ok": 0.7, "scratch": 0.3}
THRESHOLDS = {"ok": 0.9, "scratch": 0.92}
RATE = 0.25
IN, OUT = 0.2499, 0.25

TABLE = [
    (Mode.HUMAN_ONLY, SURE, OUT, Route.REFER, Reason.HUMAN_ONLY, None, Look(Reason.HUMAN_ONLY, True, 1.0)),
    (Mode.HUMAN_ONLY, None, IN, Route.REFER, Reason.HUMAN_ONLY, None, Look(Reason.HUMAN_ONLY, True, 1.0)),
    (Mode.SHADOW, SURE, OUT, Route.REFER, Reason.SHADOW, None, Look(Reason.SHADOW, True, 1.0)),
    (Mode.SHADOW, SURE, IN, Route.REFER, Reason.SHADOW, None, Look(Reason.SHADOW, True, 1.0)),
    (Mode.SHADOW, None, OUT, Route.REFER, Reason.MODEL_UNAVAILABLE, None, Look(Reason.MODEL_UNAVAILABLE, True, 1.0)),
    (Mode.ASSIST, SURE, OUT, Route.REFER, Reason.ASSIST, None, Look(Reason.ASSIST, False, 1.0)),
    (Mode.ASSIST, SURE, IN, Route.REFER, Reason.AUDIT, None, Look(Reason.AUDIT, True, 1.0)),
    (Mode.ASSIST, {}, IN, Route.REFER, Reason.MODEL_UNAVAILABLE, None, Look(Reason.MODEL_UNAVAILABLE, True, 1.0)),
    (Mode.PARTIAL, SURE, OUT, Route.AUTOMATE, Reason.CONFIDENT, "ok", None),
    (Mode.PARTIAL, BROKEN, OUT, Route.AUTOMATE, Reason.CONFIDENT, "scratch", None),
    (Mode.PARTIAL, SURE, IN, Route.AUTOMATE, Reason.CONFIDENT, "ok", Look(Reason.AUDIT, True, RATE)),
    (Mode.PARTIAL, UNSURE, OUT, Route.REFER, Reason.UNCERTAIN, None, Look(Reason.UNCERTAIN, False, 1.0)),
    (Mode.PARTIAL, UNSURE, IN, Route.REFER, Reason.AUDIT, None, Look(Reason.AUDIT, True, 1.0)),
    (Mode.PARTIAL, None, OUT, Route.REFER, Reason.MODEL_UNAVAILABLE, None, Look(Reason.MODEL_UNAVAILABLE, True, 1.0)),
    (Mode.FULL, UNSURE, OUT, Route.AUTOMATE, Reason.FULL, "ok", None),
    (Mode.FULL, BROKEN, IN, Route.AUTOMATE, Reason.FULL, "scratch", Look(Reason.AUDIT, True, RATE)),
    (Mode.FULL, None, IN, Route.REFER, Reason.MODEL_UNAVAILABLE, None, Look(Reason.MODEL_UNAVAILABLE, True, 1.0)),
]


@pytest.mark.parametrize(("mode", "says", "draw", "route", "reason", "answer", "look"), TABLE)
def test_the_table(
    mode: Mode, says: dict[str, float] | None, draw: float, route: Route, reason: Reason, answer: str | None, look: Look | None
) -> None:
    verdict = decide(Rule(mode, THRESHOLDS, RATE), says, draw)
    assert (verdict.route, verdict.reason, verdict.answer, verdict.look) == (route, reason, answer, look)
    assert verdict.audit is (draw < RATE)


def test_a_probability_that_reaches_its_threshold_exactly_is_enough() -> None:
    assert decide(Rule(Mode.PARTIAL, {"ok": 0.95}), SURE, 0.5).answer == "ok"


def test_a_class_without_a_threshold_is_never_decided_alone() -> None:
    certain = {"ok": 1.0, "scratch": 0.0}
    assert decide(Rule(Mode.PARTIAL, {"scratch": 0.1}), certain, 0.5).route is Route.REFER


def test_another_class_that_reaches_its_own_threshold_does_not_count() -> None:
    """Only the likeliest class may be the answer, however low the threshold of another."""
    assert decide(Rule(Mode.PARTIAL, {"ok": 0.9, "scratch": 0.2}), UNSURE, 0.5).route is Route.REFER


def test_of_equals_the_class_named_first_is_the_answer() -> None:
    assert decide(Rule(Mode.FULL), {"dent": 0.5, "ok": 0.5}, 0.5).answer == "dent"


def test_an_audit_rate_of_nothing_or_everything_is_taken_literally() -> None:
    assert not decide(Rule(Mode.FULL, audit_rate=0.0), SURE, 0.0).audit
    assert decide(Rule(Mode.FULL, audit_rate=1.0), SURE, 1 - 2**-53).audit
