"""What holds for every rule, prediction and draw that there can be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Reason, Route, Rule, decide
from policies.modes import Mode

CLASSES = ("ok", "scratch", "dent", "crack")
SHARES = st.floats(0, 1)
DRAWS = st.floats(0, 1, exclude_max=True)
THRESHOLDS = st.dictionaries(st.sampled_from(CLASSES), st.floats(0, 1, exclude_min=True))
RULES = st.builds(Rule, mode=st.sampled_from(Mode), thresholds=THRESHOLDS, audit_rate=SHARES)
SCORES = st.lists(st.floats(1e-6, 1), min_size=2, max_size=4).map(
    lambda found: {key: value / sum(found) for key, value in zip(CLASSES, found, strict=False)}
)
MAYBE = st.none() | st.just({}) | SCORES


@given(RULES, MAYBE, DRAWS)
def test_the_lower_three_notches_never_automate(rule: Rule, says: dict[str, float] | None, draw: float) -> None:
    verdict = decide(rule, says, draw)
    if rule.mode in {Mode.HUMAN_ONLY, Mode.SHADOW, Mode.ASSIST}:
        assert verdict.route is Route.REFER
        assert verdict.answer is None


@given(RULES, st.none() | st.just({}), DRAWS)
def test_without_a_prediction_nothing_is_automated(rule: Rule, says: dict[str, float] | None, draw: float) -> None:
    verdict = decide(rule, says, draw)
    assert verdict.route is Route.REFER
    assert verdict.reason is (Reason.HUMAN_ONLY if rule.mode is Mode.HUMAN_ONLY else Reason.MODEL_UNAVAILABLE)


@given(RULES, SCORES, DRAWS)
def test_partial_automates_the_likeliest_class_and_only_at_its_own_threshold(
    rule: Rule, says: dict[str, float], draw: float
) -> None:
    verdict = decide(replace(rule, mode=Mode.PARTIAL), says, draw)
    best = max(says.values())
    reached = [key for key in says if says[key] == best and rule.thresholds.get(key, 2.0) <= best]
    if verdict.route is Route.AUTOMATE:
        assert verdict.answer in reached
    else:
        likeliest = next(key for key in says if says[key] == best)
        assert likeliest not in reached


@given(RULES, SCORES, DRAWS, st.sampled_from(CLASSES), SHARES)
def test_raising_a_threshold_never_adds_automation(
    rule: Rule, says: dict[str, float], draw: float, key: str, share: float
) -> None:
    rule = replace(rule, mode=Mode.PARTIAL)
    if key not in rule.thresholds:
        return
    old = rule.thresholds[key]
    raised = replace(rule, thresholds={**rule.thresholds, key: old + share * (1 - old)})
    if decide(rule, says, draw).route is Route.REFER:
        assert decide(raised, says, draw).route is Route.REFER


@given(RULES, SCORES, DRAWS)
def test_taking_a_threshold_away_never_adds_automation(rule: Rule, says: dict[str, float], draw: float) -> None:
    rule = replace(rule, mode=Mode.PARTIAL)
    for key in rule.thresholds:
        fewer = replace(rule, thresholds={name: value for name, value in rule.thresholds.items() if name != key})
        if decide(rule, says, draw).route is Route.REFER:
            assert decide(fewer, says, draw).route is Route.REFER


@given(RULES, MAYBE, MAYBE, st.sampled_from(Mode), THRESHOLDS, DRAWS)
def test_the_audit_sample_knows_neither_scores_nor_mode_nor_thresholds(
    rule: Rule,
    says: dict[str, float] | None,
    otherwise: dict[str, float] | None,
    mode: Mode,
    thresholds: dict[str, float],
    draw: float,
) -> None:
    other = Rule(mode, thresholds, rule.audit_rate)
    assert decide(rule, says, draw).audit == decide(other, otherwise, draw).audit == (draw < rule.audit_rate)


@pytest.mark.parametrize("mode", Mode)
@given(THRESHOLDS, MAYBE, st.floats(0, 1, exclude_min=True), DRAWS)
def test_the_audit_sample_is_always_looked_at_and_always_blind(
    mode: Mode, thresholds: dict[str, float], says: dict[str, float] | None, rate: float, share: float
) -> None:
    verdict = decide(Rule(mode, thresholds, rate), says, share * rate)
    if share * rate < rate:  # the product of tiny numbers may round up to the rate
        assert verdict.audit
        assert verdict.look is not None
        assert verdict.look.blind


@given(RULES, MAYBE, DRAWS)
def test_what_is_referred_is_looked_at_and_what_is_looked_at_tells_its_probability(
    rule: Rule, says: dict[str, float] | None, draw: float
) -> None:
    verdict = decide(rule, says, draw)
    if verdict.route is Route.REFER:
        assert verdict.look is not None
        assert verdict.look.probability == 1.0
        assert verdict.look.reason is verdict.reason
    elif verdict.look is not None:
        assert verdict.look.probability == rule.audit_rate > 0
        assert verdict.look.reason is Reason.AUDIT
    assert (verdict.answer is None) == (verdict.route is Route.REFER)


@given(RULES, SCORES, DRAWS)
def test_a_reviewer_may_see_a_prediction_only_in_assist_and_partial(rule: Rule, says: dict[str, float], draw: float) -> None:
    look = decide(rule, says, draw).look
    if look is not None and not look.blind:
        assert rule.mode in {Mode.ASSIST, Mode.PARTIAL}


@given(RULES, MAYBE, DRAWS)
def test_the_same_question_gets_the_same_verdict(rule: Rule, says: dict[str, float] | None, draw: float) -> None:
    assert decide(rule, says, draw) == decide(rule, says, draw)
