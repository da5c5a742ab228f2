from __future__ import annotations

from dataclasses import replace

from monitoring.differences import changes_in_words, due_in_words
from policies.changes import Draft
from policies.modes import Mode

NAMES = {"ok": "OK", "scratch": "Scratch"}
BEFORE = Draft(Mode.ASSIST, thresholds={"ok": 0.98}, audit_rate=0.05)


def test_alike_policies_have_no_difference() -> None:
    assert changes_in_words(BEFORE, replace(BEFORE), NAMES) == []


def test_every_part_is_told() -> None:
    after = Draft(Mode.PARTIAL, {"scratch": 0.955}, audit_rate=0.1, overlap=2, due_seconds=5400, fail_safe="scratch")
    assert changes_in_words(BEFORE, after, NAMES) == [
        "AI assist → Partial (more automation)",
        "Threshold of OK 98 % → never alone",
        "Threshold of Scratch never alone → 95.5 %",
        "Audit rate 5 % → 10 %",
        "Judgements an audited item gets 1 → 2",
        "Due time no limit → 90 min",
        "Fail-safe hold → Scratch",
    ]


def test_down_is_less_automation() -> None:
    assert changes_in_words(BEFORE, replace(BEFORE, mode=Mode.SHADOW), NAMES) == ["AI assist → Shadow (less automation)"]


def test_due_times_use_their_largest_whole_unit() -> None:
    assert [due_in_words(seconds) for seconds in (0, 45, 60, 7200, 172800)] == ["no limit", "45 s", "1 min", "2 h", "2 d"]
