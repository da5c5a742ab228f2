from __future__ import annotations

import numpy as np

from inference.evaluation import metrics
from monitoring.evaluation import facts_of, report_of

TRUTH = np.array([0, 0, 0, 1, 1])
SURE = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.1, 0.9], [0.7, 0.3]])
CANDIDATE = metrics(TRUTH, SURE, ["ok", "scratch"])
CHAMPION = metrics(TRUTH, 1 - SURE, ["ok", "scratch"])
NAMES = {"ok": "OK", "scratch": "Scratch"}


def test_candidate_beside_champion() -> None:
    evaluation = {"test_digest": "abc", "candidate": CANDIDATE, "champion": CHAMPION, "champion_name": "old-1"}
    report = report_of(evaluation, {}, NAMES)
    assert (report.n, report.champion_name, report.test_digest, report.columns) == (5, "old-1", "abc", ("OK", "Scratch"))
    accuracy = report.overall[0]
    assert (accuracy.candidate.value, accuracy.champion and accuracy.champion.value) == (0.6, 0.4)
    assert round(accuracy.difference or 0, 9) == 0.2
    recall = report.classes[0].measures[1]
    assert (recall.title, recall.candidate.n, round(recall.candidate.value or 0, 3)) == ("Recall", 3, 0.667)


def test_the_confusion_table_shades_by_the_share_of_the_row() -> None:
    report = report_of({"candidate": CANDIDATE}, {}, NAMES)
    assert [(cell.count, cell.shade, cell.right) for cell in report.confusion[0].cells] == [(2, 4, True), (1, 2, False)]
    assert [row.total for row in report.confusion] == [3, 2]


def test_a_model_without_a_run_shows_its_own_metrics() -> None:
    report = report_of({}, CANDIDATE, NAMES)
    assert (report.n, report.champion_name, report.overall[0].champion, report.overall[0].difference) == (5, "", None, None)


def test_nothing_measured_is_empty() -> None:
    assert report_of({}, {}, NAMES).empty


def test_a_card_shows_what_people_can_read() -> None:
    assert facts_of({"seed": 7, "seconds": 61.25, "kind": "", "counts": {"train": 3}, "made_by": "fit"}) == [
        ("Seed", "7"),
        ("Seconds", "61.25"),
        ("Made by", "fit"),
    ]
