"""The watch over audited errors: when it goes off, what it does, and what it never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from gateway import deployments
from gateway.models import Event, Role
from monitoring import eprocess
from monitoring.guarding import watch
from monitoring.models import Alarm
from policies.changes import active_policy, change_policy, draft_of
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.conftest import version
from tests.monitoring import rows
from tests.monitoring.guarded import audit, audits, decided, limit

Dial = Callable[..., PolicyVersion]
# Wrong ones in a row until the evidence against a limit of 5 % is enough at alpha = 5 %.
ENOUGH = int((eprocess.curve([1] * 20, 0.05) < eprocess.threshold(0.05)).sum()) + 1


@pytest.fixture
def partial(line: Line, dial: Dial) -> Line:
    """The line in partial, with a limit on escapes."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.2)
    limit(line)
    return line


def test_it_goes_off_at_the_audit_at_which_the_e_process_does(partial: Line, now: datetime) -> None:
    state = eprocess.begin(0.05)
    for outcome in (0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1):
        audits(partial, now, [outcome])
        state = eprocess.update(state, [outcome])
        raised = watch(partial, now=now)
        assert bool(raised) == eprocess.alarm(state)
        if raised:
            break
    assert (raised[0].evidence["n"], raised[0].evidence["k"]) == (state["audits"], state["errors"])
    assert raised[0].evidence["alarm_at"] == state["audits"]
    assert raised[0].evidence["log_e"] == pytest.approx(state["log_e"])
    assert raised[0].evidence["line"] == pytest.approx(eprocess.threshold(0.05, 1))
    assert raised[0].evidence["curve"][-1] == [state["audits"], pytest.approx(state["log_e"], abs=1e-3)]


def test_a_rate_at_the_limit_raises_nothing(partial: Line, now: datetime) -> None:
    # One in twenty, evenly: exactly what the limit allows.
    for _ in range(5):
        audits(partial, now, [0] * 10 + [1] + [0] * 9)
        assert watch(partial, now=now) == []
    assert active_policy(partial).mode == Mode.PARTIAL


def test_one_audit_before_enough_raises_nothing(partial: Line, now: datetime) -> None:
    audits(partial, now, [1] * (ENOUGH - 1))
    assert watch(partial, now=now) == []
    audits(partial, now, [1])
    assert len(watch(partial, now=now)) == 1


def test_an_alarm_turns_down_by_itself_and_keeps_its_evidence(partial: Line, now: datetime) -> None:
    before, wrong = active_policy(partial), audits(partial, now, [1] * ENOUGH)
    (raised,) = watch(partial, now=now)
    after = active_policy(partial)
    assert (after.mode, after.thresholds, after.audit_rate) == (Mode.ASSIST, before.thresholds, before.audit_rate)
    assert (after.created_by, after.number) == (None, before.number + 1)
    assert after.reason == f"Guardrail: {ENOUGH} escapes in {ENOUGH} audits, limit 5 %"
    assert (raised.watch, raised.label, raised.form, raised.action) == ("errors", "ok", "escape", "demote")
    assert (raised.policy, raised.demoted_to) == (before, after)
    assert raised.evidence["errors"] == [str(item.pk) for item in wrong]
    told = Event.objects.get(kind="guardrail.alarm")
    assert (told.from_state, told.to_state, told.actor) == ("partial", "assist", "system:guardrail")
    assert told.data["alarm"] == raised.pk


def test_it_goes_down_a_notch_at_a_time_and_never_up(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL, thresholds={"ok": 0.9}, audit_rate=0.2)
    limit(line)
    modes = []
    for _ in range(4):
        audits(line, now, [1] * ENOUGH)
        watch(line, now=now)
        # Nothing new was audited: looking again does nothing.
        assert watch(line, now=now) == []
        modes.append(active_policy(line).mode)
    assert modes == ["partial", "assist", "assist", "assist"]
    audits(line, now, [0] * 200)
    watch(line, now=now)
    assert active_policy(line).mode == Mode.ASSIST


@pytest.mark.parametrize("mode", [Mode.HUMAN_ONLY, Mode.SHADOW, Mode.ASSIST])
def test_below_partial_there_is_nothing_to_turn_down(line: Line, dial: Dial, now: datetime, mode: Mode) -> None:
    dial(mode)
    limit(line)
    audits(line, now, [1] * ENOUGH)
    assert watch(line, now=now) == []
    assert active_policy(line).mode == mode


def test_without_a_limit_nothing_is_watched(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL)
    audits(line, now, [1] * 20)
    assert watch(line, now=now) == []


def test_a_retired_line_is_left_alone(partial: Line, now: datetime) -> None:
    partial.retired_at = now
    audits(partial, now, [1] * ENOUGH)
    assert watch(partial, now=now) == []


def test_only_known_blind_truths_of_audited_decisions_of_the_class_count(partial: Line, now: datetime) -> None:
    for _ in range(ENOUGH):
        decided(partial, now, "ok", in_audit=True)  # its audit is still open
        rows.label(decided(partial, now, "ok"), "dent", now)  # nobody drew it: a recall, an appeal
        rows.label(decided(partial, now, "ok", in_audit=True), "dent", now, blind=False)
        rows.label(decided(partial, now, "ok", in_audit=True), "dent", now, source="import")
        rows.label(decided(partial, now, "ok", in_audit=True), "", now)  # taken back
        audit(partial, now, "scratch", "ok")  # another class's error
        # A person decided, whatever the model thought.
        rows.label(rows.item(partial, now, in_audit=True, received_at=now, reason="audit"), "dent", now)
    assert watch(partial, now=now) == []


def test_a_corrected_truth_counts_once(partial: Line, now: datetime) -> None:
    for item in audits(partial, now, [1] * ENOUGH):
        old = item.labels.get()
        rows.label(item, "ok", now, supersedes=old)
    assert watch(partial, now=now) == []


def test_overkill_counts_audited_good_items_that_were_rejected(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9, "dent": 0.9})
    limit(line, "ok", "overkill")
    # Good ones that people decided are good ones all the same, and were not rejected.
    for _ in range(4):
        rows.label(rows.item(line, now, in_audit=True, received_at=now, reason="audit"), "ok", now)
    audits(line, now, [1] * 5, said="dent", wrong="ok")
    audits(line, now, [0] * 30, said="dent")
    state = eprocess.update(eprocess.begin(0.05), [0] * 4 + [1] * 5)
    assert eprocess.alarm(state)
    (raised,) = watch(line, now=now)
    assert (raised.form, raised.evidence["n"], raised.evidence["k"]) == ("overkill", 9, 5)
    assert raised.evidence["words"] == "5 of 9 audited items that are Ok decided as something else, limit 5 %"


def test_alpha_is_shared_over_the_limits(partial: Line, now: datetime) -> None:
    for key in ("scratch", "dent"):
        for form in ("escape", "overkill"):
            limit(partial, key, form)
    limit(partial, "ok", "overkill")
    shared = int((eprocess.curve([1] * 20, 0.05) < eprocess.threshold(0.05, 6)).sum()) + 1
    assert shared > ENOUGH
    audits(partial, now, [1] * (shared - 1), wrong="ok2")
    assert watch(partial, now=now) == []
    audits(partial, now, [1], wrong="ok2")
    assert len(watch(partial, now=now)) == 1


def test_two_limits_broken_at_once_turn_it_down_once(line: Line, dial: Dial, now: datetime) -> None:
    dial(Mode.FULL, thresholds={"ok": 0.9})
    limit(line, "ok")
    limit(line, "scratch")
    audits(line, now, [1] * 9)
    audits(line, now, [1] * 9, said="scratch", wrong="ok")
    raised = watch(line, now=now)
    assert {alarm.label for alarm in raised} == {"ok", "scratch"}
    assert {alarm.demoted_to for alarm in raised} == {active_policy(line)}
    assert active_policy(line).mode == Mode.PARTIAL
    assert watch(line, now=now) == []


def _turn(line: Line, by: User, now: datetime, **values: object) -> None:
    current = active_policy(line)
    change_policy(line, replace(draft_of(current), **values), expected=current.number, by=by, reason="test", now=now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "forgets"),
    [
        ({"thresholds": {"ok": 0.95}}, True),
        ({"mode": Mode.FULL}, True),
        ({"audit_rate": 0.5}, False),
        ({"due_seconds": 60}, False),
    ],
)
def test_evidence_starts_anew_where_the_model_decides_otherwise(
    partial: Line, max_: User, now: datetime, values: dict[str, object], forgets: bool
) -> None:
    audits(partial, now, [1] * (ENOUGH - 1))
    _turn(partial, max_, now, **values)
    audits(partial, now, [1])
    assert bool(watch(partial, now=now)) is not forgets


def test_another_champion_starts_anew(partial: Line, now: datetime) -> None:
    audits(partial, now, [1] * (ENOUGH - 1))
    later = now + timedelta(minutes=1)
    deployments.deploy(partial, version(), Role.CHAMPION, by=None, reason="test", now=later)
    audits(partial, later, [1])
    assert watch(partial, now=later) == []
    audits(partial, later, [1] * (ENOUGH - 1))
    (raised,) = watch(partial, now=later)
    assert (raised.evidence["n"], raised.since, raised.model_version) == (ENOUGH, later, deployments.champion(partial))


def test_turned_up_again_by_a_person_it_watches_again(partial: Line, max_: User, now: datetime) -> None:
    audits(partial, now, [1] * ENOUGH)
    watch(partial, now=now)
    later = now + timedelta(minutes=1)
    _turn(partial, max_, later, mode=Mode.PARTIAL)
    assert watch(partial, now=later) == []
    audits(partial, later, [1] * ENOUGH)
    assert len(watch(partial, now=later)) == 1
    assert Alarm.objects.count() == 2


def test_a_look_asks_as_often_however_much_was_audited(
    partial: Line, now: datetime, django_assert_num_queries: Callable[[int], object]
) -> None:
    watch(partial, now=now)  # the default guardrails are made
    audits(partial, now, [0] * 30)
    # Policy and champion; anchor 2, limits, newest label, audits; alarms, guardrails, classes; unavailable and queue.
    with django_assert_num_queries(12):  # type: ignore[attr-defined]
        watch(partial, now=now)
