from __future__ import annotations

from monitoring.cells import FINE, Cell
from monitoring.what_if import class_scores, coarse, curve, first_bin, outcome


def cell(said: str, truth: str, position: int, count: int = 1, *, random: bool = True) -> Cell:
    return Cell(
        truth,
        said,
        position,
        7,
        blind=True,
        seen=False,
        random=random,
        in_audit=random,
        automated=False,
        model_may_decide=True,
        count=count,
    )


CELLS = [cell("ok", "ok", 190, 5), cell("ok", "scratch", 190, 1), cell("ok", "scratch", 100, 2, random=False)]
SCORED = {("ok", 190): 20, ("ok", 100): 10, ("scratch", 200): 3}
OK = class_scores("ok", SCORED, CELLS, 7)
SCRATCH = class_scores("scratch", SCORED, CELLS, 7)


def test_counts_by_bin() -> None:
    assert (OK.all[190], OK.right[190], OK.wrong[190], OK.wrong[100]) == (20, 5, 1, 2)
    # The two wrong ones at 100 were chosen by their score: they are drawn, and judge nothing.
    assert (sum(OK.checked), sum(OK.checked_wrong)) == (6, 1)


def test_another_version_is_left_out() -> None:
    assert sum(class_scores("ok", SCORED, CELLS, 8).right) == 0


def test_thresholds_decide_what_reaches_them() -> None:
    found = outcome([OK, SCRATCH], {"ok": 0.95})
    assert (found.automated, found.items, found.wrong.count, found.wrong.n) == (20, 33, 1, 6)


def test_a_class_without_a_threshold_is_never_decided_alone() -> None:
    assert outcome([OK, SCRATCH], {}).automated == 0


def test_a_threshold_of_one_takes_scores_of_exactly_one() -> None:
    assert outcome([OK, SCRATCH], {"ok": 1.0, "scratch": 1.0}).automated == 3


def test_rounding_does_not_move_a_threshold() -> None:
    # 0.29 * 200 is 57.99999999999999 in binary fractions.
    assert [first_bin(step / FINE) for step in range(FINE + 1)] == list(range(FINE + 1))
    assert first_bin(0.9501) == 191


def test_the_curve_says_the_same_as_the_outcome() -> None:
    counts = curve([OK, SCRATCH])
    for step in (1, 100, 101, 190, 191, 200):
        found = outcome([OK, SCRATCH], {"ok": step / FINE, "scratch": step / FINE})
        sums = {name: sum(counts[key][name][step] for key in counts) for name in ("automated", "checked", "wrong")}
        assert sums == {"automated": found.automated, "checked": found.wrong.n, "wrong": found.wrong.count}
    assert counts["ok"]["automated"][FINE + 1] == 0


def test_bars_keep_every_item() -> None:
    bars = coarse(SCRATCH.all)
    assert (len(bars), bars[-1], sum(bars)) == (20, 3, 3)
