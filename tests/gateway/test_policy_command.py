"""Policies as code: export, plan, apply, and what a wrong file is told."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from gateway.management.commands.policy import Command
from gateway.models import Event
from gateway.policy_files import PolicyFileError, Wanted, parse
from policies.changes import active_policy
from policies.models import ChangeRequest, Limit, Line, PolicyVersion
from policies.modes import Mode
from policies.promises import state_limits

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a verb on a file's text: `run("plan", text)` gives exit code and output."""

    def ran(verb: str, text: str = "", *more: str) -> tuple[int, str]:
        path, out = tmp_path / "policies.yaml", StringIO()
        path.write_text(text)
        files = [] if verb == "export" else [str(path)]
        try:
            call_command("policy", verb, *files, *more, stdout=out, no_color=True)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue()
        return 0, out.getvalue()

    return ran


def test_what_is_exported_changes_nothing(line: Line, dial: Callable[..., PolicyVersion], run: Run) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.99731, "dent": 1e-05}, audit_rate=0.07, overlap=2, due_seconds=90, fail_safe="dent")
    state_limits(line, {("ok", "escape"): 0.005, ("dent", "overkill"): 0.1}, delta=0.1)
    _, text = run("export")
    assert run("plan", text) == (0, "0 changes on 0 of 1 line.\n")
    assert run("apply", text, "--reason", "again") == (0, "0 changes on 0 of 1 line.\n")
    assert PolicyVersion.objects.count() == 2
    assert parse(text) == [
        Wanted(
            "phones",
            4,
            {
                "mode": Mode.PARTIAL,
                "thresholds": {"ok": 0.99731, "dent": 1e-05},
                "audit_rate": 0.07,
                "overlap": 2,
                "due_seconds": 90,
                "fail_safe": "dent",
            },
            {("ok", "escape"): 0.005, ("dent", "overkill"): 0.1},
            0.1,
        )
    ]


CHANGED = """\
lines:
  phones:
    mode: partial
    thresholds: {ok: 0.95}
    audit_rate: 0.05
    confidence: 0.9
    limits:
      ok: {escape: 0.005}
"""


def test_a_plan_says_what_would_change_and_changes_nothing(line: Line, run: Run) -> None:
    Line.objects.update(approvals=1)
    code, out = run("plan", CHANGED)
    assert code == 2
    assert out.splitlines() == [
        "phones (policy version 1)",
        "  ~ mode: human_only -> partial",
        "  ~ audit_rate: 0 -> 0.05",
        "  + thresholds.ok: 0.95",
        "  ~ confidence: 0.95 -> 0.9",
        "  + limits.ok.escape: 0.005",
        "  needs 1 approval",
        "5 changes on 1 of 1 line.",
    ]
    assert (PolicyVersion.objects.count(), Limit.objects.count(), ChangeRequest.objects.count()) == (1, 0, 0)


def test_a_plan_is_coloured_where_somebody_looks(line: Line, tmp_path: Path) -> None:
    path, out = tmp_path / "p.yaml", StringIO()
    path.write_text("lines: {phones: {mode: shadow}}")
    with pytest.raises(SystemExit):
        call_command("policy", "plan", str(path), stdout=out, force_color=True)
    assert "\x1b[" in out.getvalue()


def test_apply_puts_it_into_force_where_nobody_has_to_agree(line: Line, run: Run) -> None:
    code, out = run("apply", CHANGED, "--reason", "From the repository")
    assert (code, out.splitlines()[-1]) == (0, "phones: version 2 is in force")
    policy = active_policy(line)
    assert (policy.mode, policy.thresholds, policy.reason) == ("partial", {"ok": 0.95}, "From the repository")
    line.refresh_from_db()
    assert (line.delta, Limit.objects.get().epsilon) == (0.1, 0.005)
    kinds = ["limits.stated", "request.asked", "request.applied", "policy.changed"]
    assert list(Event.objects.values_list("kind", flat=True)) == kinds
    assert set(Event.objects.filter(kind__startswith="request").values_list("actor", flat=True)) == {"system:policy-file"}


def test_apply_asks_where_somebody_has_to_agree_and_asks_once(line: Line, max_: User, run: Run) -> None:
    Line.objects.update(approvals=1)
    code, out = run("apply", CHANGED, "--reason", "CI", "--by", "max")
    request = ChangeRequest.objects.get()
    assert (code, out.splitlines()[-1]) == (3, f"phones: waits for approval: request {request.pk}")
    assert (request.requested_by, request.state, active_policy(line).number) == (max_, "open", 1)
    # The limits decide nothing, so they hold at once; the same file again finds its request waiting.
    assert run("apply", CHANGED, "--reason", "CI")[0] == 3
    assert ChangeRequest.objects.count() == 1


def test_lowering_from_a_file_waits_for_nobody(line: Line, dial: Callable[..., PolicyVersion], run: Run) -> None:
    Line.objects.update(approvals=1)
    dial(Mode.FULL)
    assert run("apply", "lines: {phones: {mode: assist}}", "--reason", "Careful")[0] == 0
    assert active_policy(line).mode == "assist"


def test_what_is_left_out_stays(line: Line, dial: Callable[..., PolicyVersion], run: Run) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.1)
    state_limits(line, {("ok", "escape"): 0.005})
    run("apply", "lines: {phones: {audit_rate: 0.2, confidence: 0.99}}", "--reason", "More audits")
    policy = active_policy(line)
    assert (policy.mode, policy.thresholds, policy.audit_rate) == ("partial", {"ok": 0.9}, 0.2)
    assert Limit.objects.get().epsilon == 0.005
    run("apply", "lines: {phones: {thresholds: {}, limits: {}}}", "--reason", "None")
    assert (active_policy(line).thresholds, Limit.objects.count()) == ({}, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lines:\n  phones:\n    mood: full\n", "Line 3: phones has no 'mood'; it may have mode, thresholds"),
        ("lanes: {}\n", "Line 1: the file has no 'lanes'"),
        ("lines:\n  phones:\n    mode: full\n    mode: assist\n", "Line 4: 'mode' comes twice"),
        ("lines:\n  phones:\n    mode: autopilot\n", "Line 3: there is no mode 'autopilot'; there are human_only"),
        ("lines:\n  phones:\n    audit_rate: many\n", "Line 3: 'many' is no number"),
        ("lines:\n  phones:\n    audit_rate: .nan\n", "Line 3: '.nan' is no number"),
        ("lines:\n  phones:\n    audit_rate: nan\n", "means anything"),
        ("lines:\n  phones:\n    overlap: 1.5\n", "no whole number"),
        ("lines:\n  phones:\n    thresholds: [1]\n", "Line 3: thresholds should be a mapping"),
        ("lines:\n  phones:\n    thresholds:\n", "Line 3: thresholds should be a mapping"),
        ("lines:\n  phones:\n    limits:\n      ok: {misses: 0.1}\n", "Line 4: limits of ok has no 'misses'"),
        ("lines:\n  phones:\n    fail_safe: ok\n", "Line 2, phones: An item that nobody judged must not pass"),
        ("lines:\n  phones:\n    thresholds: {crack: 0.5}\n", "Line 2, phones: There is no class 'crack'"),
        ("lines:\n  phones:\n    limits: {crack: {escape: 0.5}}\n", "There is no limit escape of crack"),
        ("lines:\n  phones:\n    confidence: 1\n", "The confidence is between"),
        ("lines:\n  phones:\n    <<: {mode: full}\n", "'<<'"),
        ("lines:\n  ? [a]\n  : {}\n", "Line 2: a name is a word"),
        ("lines:\n  cars:\n    mode: full\n", "Line 2: there is no line 'cars'"),
        ("lines: {phones: &a {mode: full}}\n---\nlines: {}\n", "no YAML"),
        ("lines: !!python/object/apply:os.getcwd []\n", "should be a mapping"),
        ("lines: {phones", "no YAML"),
        ("", "empty"),
        ("just words\n", "Line 1: the file should be a mapping"),
    ],
)
def test_a_wrong_file_is_told_where_and_changes_nothing(line: Line, run: Run, text: str, words: str) -> None:
    with pytest.raises(CommandError) as found:
        run("apply", text, "--reason", "x")
    assert words in str(found.value)
    assert found.value.returncode == 1
    assert PolicyVersion.objects.count() == 1


def test_one_wrong_line_keeps_all_others_as_they_are(line: Line, run: Run) -> None:
    with pytest.raises(CommandError):
        run("apply", "lines: {phones: {mode: shadow}, cars: {mode: shadow}}", "--reason", "x")
    assert active_policy(line).number == 1


def test_names_that_nobody_has(line: Line, run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no line cars"):
        run("export", "", "phones", "cars")
    with pytest.raises(CommandError, match="no user 'nobody'"):
        run("apply", CHANGED, "--reason", "x", "--by", "nobody")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("policy", "plan", str(tmp_path / "missing.yaml"))


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except PolicyFileError:
        return
    assert all(isinstance(entry, Wanted) for entry in found)


@pytest.mark.parametrize("arguments", [["plan"], ["undo", "x"], ["apply", "file.yaml"], []])
def test_a_wrong_command_line_ends_with_1(arguments: list[str]) -> None:
    """2 would tell a pipeline that there are changes."""
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "policy", *arguments])
    assert end.value.code == 1
