"""A shortage in words, a limit's denominator in words, and which thresholds a certificate covers."""

from __future__ import annotations

import pytest

from monitoring.promise_words import holds, missing_in_words, sentence_of
from monitoring.selectors.promises import Pace
from policies.models import Certificate, LabelClass
from policies.modes import Mode

OK = LabelClass(key="ok", name="OK", is_negative=True)
DENT = LabelClass(key="dent", name="Dent")


@pytest.mark.parametrize(
    ("label", "form", "words"),
    [
        (OK, "escape", "Of all items that the model passes as OK, at most 0.5 % are defective."),
        (OK, "overkill", "Of all items that truly are OK, at most 0.5 % are rejected by the model."),
        (DENT, "escape", "Of all items that it decides as Dent, at most 0.5 % are something else."),
        (DENT, "overkill", "Of all items that truly are Dent, at most 0.5 % are decided as something else."),
    ],
)
def test_a_limit_names_its_denominator(label: LabelClass, form: str, words: str) -> None:
    assert sentence_of(label, form, 0.005) == words


@pytest.mark.parametrize(
    ("need", "volume", "rate", "words"),
    [
        (512, 460.0, 0.1, "need 412 more audited items: about 9 days at today's volume and audit rate"),
        (101, 1000.0, 0.1, "need 1 more audited item: about 1 day at today's volume and audit rate"),
        (1334, 0.0, 0.1, "need 1\u202f234 more audited items, and at today's volume and audit rate none come"),
        (512, 460.0, 0.0, "need 412 more audited items, and at today's volume and audit rate none come"),
    ],
)
def test_a_shortage_says_how_many_and_how_long(need: int, volume: float, rate: float, words: str) -> None:
    row = Certificate(label="ok", form="escape", epsilon=0.005, n=100, need=need)
    assert missing_in_words(row, Pace(volume, rate), 0.05) == words


def test_where_no_number_of_audits_helps_it_says_so() -> None:
    row = Certificate(label="ok", form="escape", epsilon=0.005, n=100, need=None)
    assert "no number of audits" in missing_in_words(row, Pace(100, 0.1), 0.05)


def test_where_there_is_no_audit_it_says_what_would_do() -> None:
    row = Certificate(label="ok", form="escape", epsilon=0.005, n=0, need=None)
    # ln(0.05) / ln(0.995) = 597.6
    assert "at least 598 items" in missing_in_words(row, Pace(100, 0.1), 0.05)


CERTIFIED = {"ok": 0.9, "dent": 0.8}


@pytest.mark.parametrize(
    ("label", "form", "in_force", "expected"),
    [
        # An escape limit looks at its own class's threshold alone.
        ("ok", "escape", {"ok": 0.9}, True),
        ("ok", "escape", {"ok": 0.95}, False),
        ("ok", "escape", {"ok": 0.9, "dent": 0.1}, True),
        ("ok", "escape", {}, True),
        # An overkill limit looks at those of all others.
        ("ok", "overkill", {"ok": 0.1, "dent": 0.8}, True),
        ("ok", "overkill", {"dent": 0.8, "scratch": 0.99}, False),
        ("ok", "overkill", {"ok": 0.1}, True),
    ],
)
def test_a_certificate_covers_what_it_speaks_about(label: str, form: str, in_force: dict[str, float], expected: bool) -> None:
    assert holds(label, form, mode=Mode.PARTIAL, in_force=in_force, certified=CERTIFIED) is expected


def test_where_the_model_decides_nothing_nothing_can_be_broken_and_in_full_nothing_is_proven() -> None:
    assert holds("ok", "escape", mode=Mode.ASSIST, in_force={"ok": 0.1}, certified={})
    assert not holds("ok", "escape", mode=Mode.FULL, in_force={"ok": 0.9}, certified=CERTIFIED)
