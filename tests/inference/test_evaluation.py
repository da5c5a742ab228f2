"""Metrics agree with hand figures and scikit-learn, carry intervals, and say nothing where nothing can be said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from inference.evaluation import evaluate, metrics
from inference.measures import area, average_precision, share, weighted_area, weighted_average_precision, weighted_f1
from tests.inference.conftest import CLASSES
from tests.inference.pictures import LIMITS

TRUTH = np.array([0, 0, 0, 1, 1, 2])
SURE = np.array(
    [[0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1], [0.55, 0.4, 0.05], [0.1, 0.2, 0.7]],
)


@pytest.fixture(scope="module")
def found():
    return metrics(TRUTH, SURE, CLASSES)


def test_the_confusion_matrix_has_the_truth_in_rows(found):
    assert found["confusion"] == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_accuracy_has_its_wilson_interval(found):
    interval = binomtest(4, 6).proportion_ci(0.95, method="wilson")
    assert found["accuracy"] == {"value": 4 / 6, "low": interval.low, "high": interval.high, "n": 6}


def test_precision_and_recall_by_hand(found):
    dot = found["per_class"]["dot"]
    assert (dot["precision"]["value"], dot["precision"]["n"]) == (0.5, 2)
    assert (dot["recall"]["value"], dot["recall"]["n"]) == (0.5, 2)
    assert dot["support"] == 2


def test_f1_average_precision_and_area_agree_with_sklearn(found):
    answers = SURE.argmax(axis=1)
    assert found["defect_auroc"]["value"] == pytest.approx(roc_auc_score(TRUTH != 0, 1 - SURE[:, 0]))
    for k, label in enumerate(CLASSES):
        of_class = found["per_class"][label]
        assert of_class["f1"]["value"] == pytest.approx(f1_score(k == TRUTH, answers == k))
        assert of_class["average_precision"]["value"] == pytest.approx(average_precision_score(k == TRUTH, SURE[:, k]))


def test_reliability_bins_by_hand(found):
    eighth = found["reliability"][8]
    assert (eighth["from"], eighth["to"]) == (0.8, 0.9)
    assert eighth["confidence"] == pytest.approx(0.8)
    assert (eighth["right"]["value"], eighth["right"]["n"]) == (1.0, 2)
    assert [row["right"]["n"] for row in found["reliability"]] == [0, 0, 0, 0, 0, 1, 1, 1, 2, 1]
    assert found["reliability"][0]["confidence"] is None


def test_what_cannot_be_said_is_none_and_not_nan():
    found = metrics(np.array([0, 0]), np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0]]), CLASSES)
    assert found["defect_auroc"]["value"] is None
    line = found["per_class"]["line"]
    assert line["precision"] == line["recall"] | {"n": 0} == {"value": None, "low": None, "high": None, "n": 0}
    assert line["f1"]["value"] is None
    assert line["average_precision"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_no_examples_at_all():
    found = metrics(np.zeros(0, int), np.zeros((0, 3)), CLASSES)
    assert found["n"] == 0
    assert found["accuracy"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_intervals_hold_the_value_narrow_with_n_and_repeat_exactly():
    draw = np.random.default_rng(3)
    widths = []
    for count in (40, 400):
        truth = draw.random(count) < 0.3
        score = truth + draw.normal(0, 1, count)
        first = area(truth, score)
        assert first == area(truth, score)
        assert first["low"] < first["value"] < first["high"]
        widths.append(first["high"] - first["low"])
    assert widths[1] < widths[0] / 2


@pytest.mark.parametrize("seed", range(5))
def test_the_resampled_measures_agree_with_sklearn_also_with_ties(seed):
    draw = np.random.default_rng(seed)
    truth = np.append(draw.random(40) < 0.4, [True, False])
    score = np.round(draw.random(42), 1)
    weights = draw.multinomial(42, np.full(42, 1 / 42), size=3)
    areas, precisions = weighted_area(truth, score, weights), weighted_average_precision(truth, score, weights)
    f1s = weighted_f1(truth, score > 0.5, weights)
    for row, (area_, precision, f1_) in zip(weights, zip(areas, precisions, f1s, strict=True), strict=True):
        assert area_ == pytest.approx(roc_auc_score(truth, score, sample_weight=row))
        assert precision == pytest.approx(average_precision_score(truth, score, sample_weight=row))
        assert f1_ == pytest.approx(f1_score(truth, score > 0.5, sample_weight=row))


def test_one_positive_has_an_average_precision():
    found = average_precision(np.array([True, False, False]), np.array([0.9, 0.1, 0.2]))
    assert found["value"] == 1.0


def test_a_share_of_nothing_is_unknown():
    assert share(0, 0) == {"value": None, "low": None, "high": None, "n": 0}


def test_a_real_model_on_real_examples(predictor, examples):
    unseen = [example for example in examples if example.split == "test"]
    reported = []
    found = evaluate(predictor, unseen, CLASSES, lambda share, said: reported.append(share), limits=LIMITS)
    json.dumps(found, allow_nan=False)
    assert found["n"] == 12
    assert np.sum(found["confusion"]) == 12
    assert [row["digest"] for row in found["examples"]] == [example.digest for example in unseen]
    assert found["examples"][0]["truth"] == "ok"
    assert sum(found["examples"][0]["probabilities"].values()) == pytest.approx(1)
    assert reported[-1] == 1


def test_a_class_that_the_model_does_not_know_is_never_answered(predictor, examples):
    unseen = [example for example in examples if example.split == "test"]
    found = evaluate(predictor, unseen[:2], (*CLASSES, "new"), lambda share, said: None, limits=LIMITS)
    assert found["examples"][0]["probabilities"]["new"] == 0
