"""What a process remembers of audits gives what reading everything anew gives, whatever happened in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from monitoring import error_watch
from monitoring.error_watch import watched_errors
from monitoring.known_audits import Memory, known_audits
from monitoring.selectors.audited_decisions import anchor_of, audits_since, streams
from monitoring.stream_evidence import evidence
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review.labels import append_label, withdraw_label
from tests.monitoring import guarded

# (what happens, which item, what the truth is)
Happening = tuple[str, int, str]
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["audit", "correct", "withdraw", "seen", "look"]), st.integers(0, 7), st.sampled_from(["ok", "dent"])
    ),
    max_size=24,
)


class Remembered(TestCase):  # type: ignore[misc]
    """Many stories of one line, each in a database of its own."""

    # Each story writes dozens of rows, which takes as long as the machine lets it.
    @settings(deadline=None, max_examples=40)
    @given(HAPPENINGS)
    def test_it_is_what_reading_everything_anew_gives(self, story: list[Happening]) -> None:
        """Audits come, are corrected, withdrawn and answered by people who saw the prediction; sometimes somebody looks."""
        now = datetime.fromisoformat("2026-11-21T08:00:00+00:00")
        drafts = [ClassDraft(key, key) for key in ("ok", "dent")]
        policy = Draft(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.5)
        line = create_line("phones", "Phones", "Is it?", drafts, policy, now=now)
        guarded.limit(line)
        items = [guarded.decided(line, now + timedelta(seconds=1), in_audit=True) for _ in range(8)]
        for place, (what, which, truth) in enumerate(story):
            at = now + timedelta(minutes=place + 1)
            if what == "withdraw":
                withdraw_label(items[which], now=at)
            elif what != "look":
                append_label(items[which], truth, blind=what != "seen", inclusion_probability=1.0, now=at)
            else:
                _same(line)
        _same(line)


def _same(line: Line) -> None:
    anchor = anchor_of(line)
    whole = audits_since(line, anchor)
    assert list(known_audits(line, anchor)) == whole
    anew = [(one, evidence(one.outcomes, one.epsilon, alpha=line.alpha, streams=1)) for one in streams(_limits(line), whole)]
    assert watched_errors(line, anchor) == anew


def _limits(line: Line) -> Any:
    return list(line.limits.select_related("label_class"))


@pytest.fixture
def watched(line: Line, dial: Callable[..., PolicyVersion], now: datetime) -> Line:
    """A line with a limit and some audits that somebody has looked at."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.5)
    guarded.limit(line)
    guarded.audits(line, now + timedelta(seconds=1), [0] * 30)
    watched_errors(line, anchor_of(line))
    return line


def test_a_look_at_nothing_new_reads_no_audit(watched: Line, django_assert_num_queries: Any) -> None:
    anchor = anchor_of(watched)
    with django_assert_num_queries(2):
        assert watched_errors(watched, anchor)[0][1].n == 30


def test_a_look_at_nothing_new_works_nothing_out(watched: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_watch, "streams", None)
    assert watched_errors(watched, anchor_of(watched))[0][1].n == 30


def test_a_new_audit_is_read_alone(watched: Line, now: datetime, django_assert_num_queries: Any) -> None:
    guarded.audits(watched, now + timedelta(seconds=2), [1])
    anchor = anchor_of(watched)
    # Limits, newest place, what was replaced, what is new.
    with django_assert_num_queries(4) as found:
        assert watched_errors(watched, anchor)[0][1].k == 1
    assert any('"sequence" >= ' in query["sql"] for query in found.captured_queries)


def test_another_limit_is_worked_out_anew(watched: Line) -> None:
    watched.limits.update(epsilon=0.2)
    assert watched_errors(watched, anchor_of(watched))[0][1].limit == 0.2


def test_the_oldest_is_let_go() -> None:
    memory: Memory[int] = Memory(2)
    keys: list[Any] = ["a", "b", "c"]
    memory.put(keys[0], 0)
    memory.put(keys[1], 1)
    assert memory.get(keys[0]) == 0, "and is the newest with that"
    memory.put(keys[2], 2)
    assert [memory.get(key) for key in keys] == [0, None, 2]
