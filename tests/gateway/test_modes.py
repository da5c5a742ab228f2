"""The five modes over the real stack: post, route, decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.models import Item, Referral
from policies.modes import Mode
from tests.conftest import Model

SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}
DEFECT = {"ok": 0.02, "scratch": 0.96, "dent": 0.02}
UNSURE = {"ok": 0.60, "scratch": 0.30, "dent": 0.10}
THRESHOLDS = {"ok": 0.9, "scratch": 0.95}


@pytest.mark.parametrize(
    ("mode", "says", "audit", "route", "reason", "decision", "look", "blind"),
    [
        (Mode.HUMAN_ONLY, SURE, 0, "refer", "human_only", None, "human_only", True),
        (Mode.HUMAN_ONLY, SURE, 1, "refer", "human_only", None, "human_only", True),
        (Mode.SHADOW, SURE, 0, "refer", "shadow", None, "shadow", True),
        (Mode.SHADOW, SURE, 1, "refer", "shadow", None, "shadow", True),
        (Mode.SHADOW, None, 0, "refer", "model_unavailable", None, "model_unavailable", True),
        (Mode.ASSIST, SURE, 0, "refer", "assist", None, "assist", False),
        (Mode.ASSIST, SURE, 1, "refer", "audit", None, "audit", True),
        (Mode.ASSIST, None, 0, "refer", "model_unavailable", None, "model_unavailable", True),
        (Mode.PARTIAL, SURE, 0, "automate", "confident", "ok", None, None),
        (Mode.PARTIAL, DEFECT, 0, "automate", "confident", "scratch", None, None),
        (Mode.PARTIAL, UNSURE, 0, "refer", "uncertain", None, "uncertain", False),
        (Mode.PARTIAL, SURE, 1, "automate", "confident", "ok", "audit", True),
        (Mode.PARTIAL, UNSURE, 1, "refer", "audit", None, "audit", True),
        (Mode.PARTIAL, {"ok": 0.01, "scratch": 0.01, "dent": 0.98}, 0, "refer", "uncertain", None, "uncertain", False),
        (Mode.PARTIAL, None, 0, "refer", "model_unavailable", None, "model_unavailable", True),
        (Mode.FULL, UNSURE, 0, "automate", "full", "ok", None, None),
        (Mode.FULL, DEFECT, 1, "automate", "full", "scratch", "audit", True),
        (Mode.FULL, None, 0, "refer", "model_unavailable", None, "model_unavailable", True),
    ],
)
def test_the_dial_rules_what_becomes_of_a_photo(
    post: Callable[..., dict[str, Any]],
    dial: Callable[..., Any],
    model: Model,
    mode: Mode,
    says: dict[str, float] | None,
    audit: float,
    route: str,
    reason: str,
    decision: str | None,
    look: str | None,
    blind: bool | None,
) -> None:
    model.says, model.fails = says or {}, says is None
    policy = dial(mode, thresholds=THRESHOLDS, audit_rate=audit)

    answer = post()

    assert (answer["route"], answer["reason"], answer["decision"]) == (route, reason, decision)
    assert answer["status"] == ("decided" if decision else "referred")
    assert answer["policy_version"] == policy.number
    referral = Referral.objects.filter(item=answer["id"]).first()
    assert (referral and referral.reason, referral and referral.blind) == (look, blind)
    assert model.asked == (0 if mode is Mode.HUMAN_ONLY else 1)
    assert (answer["prediction"] is None) == (mode is Mode.HUMAN_ONLY or says is None)
    item = Item.objects.get(pk=answer["id"])
    assert [d.answer for d in item.decisions.all()] == ([decision] if decision else [])


def test_a_change_holds_from_the_next_item_on(
    post: Callable[..., dict[str, Any]], dial: Callable[..., Any], model: Model
) -> None:
    dial(Mode.FULL)
    assert post(seed=1)["status"] == "decided"
    dial(Mode.HUMAN_ONLY)
    assert post(seed=2)["status"] == "referred"
    assert model.asked == 1
