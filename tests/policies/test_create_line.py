"""Setting up a line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from policies.changes import Draft, active_policy
from policies.errors import InvalidLine, InvalidPolicy
from policies.lines import HOTKEYS, ClassDraft, create_line
from policies.models import LabelClass, Line, PolicyVersion
from policies.modes import Mode

pytestmark = pytest.mark.django_db


def create(now: datetime, *keys: str, policy: Draft | None = None, **options: Any) -> Line:
    drafts = [ClassDraft(key, key.capitalize() or "Nameless") for key in keys]
    return create_line("glass", "Glass", "Is it whole?", drafts, policy or Draft(Mode.HUMAN_ONLY), now=now, **options)


def test_a_line_comes_with_its_classes_and_its_first_policy(now: datetime) -> None:
    line = create(now, "ok", "chip", "bubble", policy=Draft(Mode.SHADOW, audit_rate=0.1), unique_external_ids=True)
    classes = list(line.classes.order_by("position"))
    assert [(one.key, one.hotkey, one.is_negative) for one in classes] == [
        ("ok", "1", True),
        ("chip", "2", False),
        ("bubble", "3", False),
    ]
    policy = active_policy(line)
    assert (policy.number, policy.mode, policy.audit_rate) == (1, "shadow", 0.1)
    assert line.unique_external_ids


def test_two_lines_have_secrets_of_their_own(now: datetime, line: Line) -> None:
    assert len(line.secret) == 32
    assert create(now, "ok", "chip").secret != line.secret


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["ok"], f"between 2 and {len(HOTKEYS)} classes, not 1"),
        ([f"c{number}" for number in range(len(HOTKEYS) + 1)], f"not {len(HOTKEYS) + 1}"),
        (["ok", "chip", "chip"], "Two classes have the same key"),
        (["ok", "hold"], "'hold' is taken by the fail-safe"),
        (["ok", ""], "A class key has 1 to 40 printable characters, not ''"),
        (["ok", "a\nchip"], "not 'a\\nchip'"),
        (["ok", "x" * 41], "not 'xxx"),
    ],
)
def test_contradictions_are_refused_and_leave_nothing(now: datetime, keys: list[str], words: str) -> None:
    with pytest.raises(InvalidLine) as refusal:
        create(now, *keys)
    assert words in refusal.value.detail
    assert not Line.objects.exists()


@pytest.mark.parametrize("slug", ["", "two words", "a/b", "x" * 51, "glas\n"])
def test_a_slug_that_no_address_could_hold_is_refused(now: datetime, slug: str) -> None:
    drafts = [ClassDraft("ok", "Ok"), ClassDraft("chip", "Chip")]
    with pytest.raises(InvalidLine, match="A line's slug has up to 50 letters"):
        create_line(slug, "Glass", "Is it whole?", drafts, Draft(Mode.HUMAN_ONLY), now=now)


def test_a_bad_first_policy_leaves_no_line_behind(now: datetime) -> None:
    with pytest.raises(InvalidPolicy):
        create(now, "ok", "chip", policy=Draft(Mode.PARTIAL, {"crack": 0.5}))
    assert not (Line.objects.exists() or LabelClass.objects.exists() or PolicyVersion.objects.exists())


def test_every_class_of_the_largest_line_has_a_key_of_its_own(now: datetime) -> None:
    line = create(now, *(f"c{number}" for number in range(len(HOTKEYS))))
    assert len(set(line.classes.values_list("hotkey", flat=True))) == len(HOTKEYS)
