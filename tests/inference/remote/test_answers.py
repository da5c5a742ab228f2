"""From tensors to scores; what cannot be right never becomes a score."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from inference.predictions import top
from inference.remote.answers import scores
from inference.remote.errors import RemoteFailed
from tests.inference.remote.conftest import manifest


def say(p: object, count: int = 1, h: object = None, **values: Any):
    tensors = {"p": np.array(p, float)} | ({} if h is None else {"h": np.array(h, float)})
    return scores(manifest(heatmap_name="" if h is None else "h", **values), tensors, count)


def test_probabilities_come_in_the_order_of_the_classes() -> None:
    first, second = say([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], count=2)
    assert first.probabilities == pytest.approx({"ok": 0.7, "scratch": 0.2, "dent": 0.1})
    assert top(second) == ("dent", pytest.approx(0.6))


def test_rounding_is_made_good() -> None:
    (found,) = say([[0.7, 0.3004, -0.00001]])
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert found.probabilities["dent"] == 0


def test_softmax_of_numbers_of_any_size() -> None:
    (found,) = say([[1e30, 0, -1e30]], activation="softmax")
    assert found.probabilities == {"ok": 1, "scratch": 0, "dent": 0}
    (found,) = say([[0, np.log(2), np.log(5)]], activation="softmax")
    assert found.probabilities == pytest.approx({"ok": 1 / 8, "scratch": 2 / 8, "dent": 5 / 8})


@pytest.mark.parametrize("p", [[0.0, 1e9, -1e9], [[0.0], [1e9], [-1e9]]])
def test_sigmoid_is_the_probability_of_the_second_class(p: object) -> None:
    found = say(p, count=3, activation="sigmoid", classes=("ok", "bad"))
    assert [one.probabilities["bad"] for one in found] == pytest.approx([0.5, 1, 0])


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ([[0.5, 0.5]], "3 a picture"),
        ([[[0.5, 0.2], [0.1, 0.1], [0.05, 0.05]]], "3 a picture"),
        ([[0.3, 0.3, 0.3]], "sum to 0.9"),
        ([[0, 0, 0]], "sum to 0"),
        ([[1.5, -0.5, 0]], "from -0.5 to 1.5"),
        ([[float("nan"), 0.5, 0.5]], "not finite"),
        ([[float("inf"), 0, 0]], "not finite"),
        ([[1, 0, 0], [1, 0, 0]], "for 2 pictures, and 1"),
    ],
)
def test_rubbish_is_refused_with_a_reason(p: object, said: str) -> None:
    with pytest.raises(RemoteFailed, match=said):
        say(p)


def test_an_output_that_is_missing_is_named() -> None:
    with pytest.raises(RemoteFailed, match="no output p; it has q"):
        scores(manifest(), {"q": np.zeros((1, 3))}, 1)


@pytest.mark.parametrize("axis", [None, 1, 3])
def test_a_heatmap_with_its_regions(axis: int | None) -> None:
    map_ = np.zeros((1, 4, 8))
    map_[0, 1:3, 2:4] = 0.8
    (found,) = say([[0.2, 0.1, 0.7]], h=map_ if axis is None else np.expand_dims(map_, axis))
    assert found.heatmap is not None
    assert (found.heatmap.rows, found.heatmap.columns, max(found.heatmap.values)) == (4, 8, 204)
    (region,) = found.regions
    # The map does not say which defect it is; the picture does.
    assert (region.label, region.score) == ("dent", pytest.approx(0.8))
    assert (region.x, region.y, region.width, region.height) == (0.25, 0.25, 0.25, 0.5)


@pytest.mark.parametrize(
    ("h", "said"), [(np.zeros((1, 4)), "shape"), (np.zeros((1, 225, 2)), "shape"), (np.full((1, 2, 2), 3.0), "not from 0 to 1")]
)
def test_a_heatmap_that_cannot_be_is_refused(h: np.ndarray, said: str) -> None:
    with pytest.raises(RemoteFailed, match=said):
        say([[1, 0, 0]], h=h)


@settings(max_examples=60)
@given(
    arrays(np.float64, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)),
    st.sampled_from(["none", "softmax"]),
    st.integers(0, 4),
)
def test_whatever_comes_is_a_distribution_or_refused(given_: np.ndarray, activation: str, count: int) -> None:
    try:
        found = scores(manifest(activation=activation), {"p": given_}, count)
    except RemoteFailed:
        return
    assert len(found) == count
    for one in found:
        assert sum(one.probabilities.values()) == pytest.approx(1)
        assert all(0 <= share <= 1 for share in one.probabilities.values())
