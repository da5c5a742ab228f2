"""Agreement, escapes and overkill over made-up cells, counted by hand."""

from __future__ import annotations

from dataclasses import replace

from monitoring.agreement import agreement, blind_cells, seen_cells
from monitoring.cells import Cell
from monitoring.errors_found import audited_errors

AUDITED = Cell(
    "ok", "ok", 180, 1, blind=True, seen=False, random=True, in_audit=True, automated=True, model_may_decide=True, count=1
)


def cell(truth: str, said: str, count: int, **flags: bool | int | None) -> Cell:
    return replace(AUDITED, truth=truth, said=said, count=count, **flags)


def test_agreement_from_both_sides() -> None:
    found = agreement([cell("ok", "ok", 90), cell("scratch", "ok", 4), cell("scratch", "scratch", 6)], ["ok", "scratch"])
    assert (found.overall.count, found.overall.n) == (96, 100)
    ok, scratch = found.classes
    assert (ok.of_said.count, ok.of_said.n) == (90, 94)
    assert (ok.of_truth.count, ok.of_truth.n) == (90, 90)
    assert (scratch.of_said.count, scratch.of_said.n) == (6, 6)
    assert (scratch.of_truth.count, scratch.of_truth.n) == (6, 10)


def test_only_blind_and_random_labels_of_the_version_judge_it() -> None:
    cells = [
        cell("ok", "ok", 1),
        cell("ok", "ok", 2, blind=False, seen=True),
        # It could be seen, and nobody looked: it neither judges the model nor shows how people go along with it.
        cell("ok", "ok", 32, blind=False),
        cell("ok", "ok", 4, random=False),
        cell("ok", "ok", 8, version=2),
    ]
    assert [entry.count for entry in blind_cells(cells, 1)] == [1]
    assert [entry.count for entry in seen_cells(cells, 1)] == [2]


def test_each_rate_names_its_denominator() -> None:
    found = audited_errors(
        [
            cell("ok", "ok", 50),
            cell("scratch", "ok", 2),
            cell("ok", "scratch", 3),
            cell("scratch", "scratch", 5),
            cell("dent", "scratch", 1),
            # Went to people: it counts among the good ones that were not rejected, and nowhere else.
            cell("ok", "scratch", 40, automated=False),
        ],
        "ok",
    )
    assert (found.escapes.count, found.escapes.n) == (2, 52)
    assert (found.overkill.count, found.overkill.n) == (3, 93)
    assert (found.right.count, found.right.n) == (55, 61)


def test_what_is_not_audited_blind_while_the_model_may_decide_is_left_out() -> None:
    left_out = [
        cell("scratch", "ok", 1, in_audit=False),
        cell("scratch", "ok", 1, blind=False),
        cell("scratch", "ok", 1, model_may_decide=False),
    ]
    found = audited_errors(left_out, "ok")
    assert (found.escapes.n, found.overkill.n, found.right.n) == (0, 0, 0)
