"""A prediction that a caller brings is read strictly and scaled to sum to 1."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import InputRefused
from inference.predictions import Region, Scores, parse_scores, top

CLASSES = ["ok", "scratch", "dent"]
BOX = {"label": "dent", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}


def half(**more: object) -> dict[str, object]:
    return {"probabilities": {"ok": 0.5, "dent": 0.5}, **more}


def test_a_class_that_is_not_mentioned_counts_as_nothing():
    found = parse_scores({"probabilities": {"dent": 1}}, CLASSES)
    assert found == Scores({"ok": 0.0, "scratch": 0.0, "dent": 1.0})
    assert list(found.probabilities) == CLASSES


def test_regions_are_read_and_a_missing_score_is_that_of_its_class():
    found = parse_scores(half(regions=[BOX, BOX | {"score": 0.25}]), CLASSES)
    assert found.regions == (Region("dent", 0.1, 0.2, 0.3, 0.4, 0.5), Region("dent", 0.1, 0.2, 0.3, 0.4, 0.25))


def test_a_box_that_overshoots_the_edge_by_rounding_ends_at_it():
    (region,) = parse_scores(half(regions=[BOX | {"x": 0.7, "width": 0.3000001}]), CLASSES).regions
    assert region.x + region.width <= 1


BAD = {
    "a list": ([], "prediction-not-an-object"),
    "nothing": (None, "prediction-not-an-object"),
    "text": ("ok", "prediction-not-an-object"),
    "no probabilities": ({}, "probabilities-missing"),
    "probabilities as a list": ({"probabilities": [1]}, "probabilities-missing"),
    "NaN": ({"probabilities": {"ok": math.nan}}, "number-out-of-range"),
    "infinite": ({"probabilities": {"ok": math.inf}}, "number-out-of-range"),
    "negative": ({"probabilities": {"ok": -0.1, "dent": 1.1}}, "number-out-of-range"),
    "above one": ({"probabilities": {"ok": 1.001}}, "number-out-of-range"),
    "endless": ({"probabilities": {"ok": 10**5000}}, "number-out-of-range"),
    "true": ({"probabilities": {"ok": True}}, "not-a-number"),
    "text as number": ({"probabilities": {"ok": "1"}}, "not-a-number"),
    "null as number": ({"probabilities": {"ok": None}}, "not-a-number"),
    "sum too small": ({"probabilities": {"ok": 0.98}}, "probabilities-sum"),
    "sum too large": ({"probabilities": {"ok": 0.52, "dent": 0.5}}, "probabilities-sum"),
    "all zero": ({"probabilities": {}}, "probabilities-sum"),
    "unknown class": ({"probabilities": {"ok": 0.5, "rust": 0.5}}, "class-unknown"),
    "regions as an object": (half(regions={}), "regions-not-a-list"),
    "region as text": (half(regions=["here"]), "region-not-an-object"),
    "region of an unknown class": (half(regions=[BOX | {"label": "rust"}]), "class-unknown"),
    "region without class": (half(regions=[{"x": 0, "y": 0, "width": 1, "height": 1}]), "class-unknown"),
    "region of an unhashable class": (half(regions=[BOX | {"label": ["dent"]}]), "class-unknown"),
    "region outside": (half(regions=[BOX | {"x": 0.9}]), "region-outside"),
    "region above": (half(regions=[BOX | {"y": -0.1}]), "number-out-of-range"),
    "region of no width": (half(regions=[BOX | {"width": 0}]), "region-empty"),
    "region of no area": (half(regions=[BOX | {"x": 1, "width": 5e-7}]), "region-empty"),
    "region with NaN": (half(regions=[BOX | {"x": math.nan}]), "number-out-of-range"),
    "region sure of itself beyond reason": (half(regions=[BOX | {"score": 2}]), "number-out-of-range"),
    "region without height": (half(regions=[{k: v for k, v in BOX.items() if k != "height"}]), "not-a-number"),
    "too many regions": (half(regions=[BOX] * 101), "regions-too-many"),
}


@pytest.mark.parametrize("name", BAD)
def test_nonsense_is_refused_by_name(name):
    data, code = BAD[name]
    with pytest.raises(InputRefused) as refusal:
        parse_scores(data, CLASSES)
    assert refusal.value.code == code
    assert len(refusal.value.detail) < 300


def test_a_hundred_regions_are_taken():
    assert len(parse_scores(half(regions=[BOX] * 100), CLASSES).regions) == 100


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.991, 1.009))
def test_what_nearly_sums_to_one_is_scaled_and_keeps_its_order(weights, total):
    scale = total / sum(weights) if sum(weights) else 0
    values = [weight * scale for weight in weights]
    if abs(sum(values) - total) > 1e-6 or max(values) > 1:
        return
    found = list(parse_scores({"probabilities": dict(zip(CLASSES, values, strict=True))}, CLASSES).probabilities.values())
    assert math.fsum(found) == pytest.approx(1, abs=1e-12)
    assert all((a <= b) <= (x <= y) for a, x in zip(values, found, strict=True) for b, y in zip(values, found, strict=True))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(CLASSES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*CLASSES, "probabilities", "regions", "label", "x", "y", "width", "height"]), inner)
    ),
    max_leaves=20,
)


@given(JSON | st.fixed_dictionaries({"probabilities": JSON, "regions": JSON}))
def test_any_json_is_read_or_refused(data):
    try:
        found = parse_scores(json.loads(json.dumps(data)), CLASSES)
    except InputRefused:
        return
    assert math.fsum(found.probabilities.values()) == pytest.approx(1, abs=1e-12)
    for region in found.regions:
        assert 0 <= region.x < region.x + region.width <= 1 + 1e-9
        assert 0 <= region.y < region.y + region.height <= 1 + 1e-9


def test_top_is_the_likeliest_and_of_equals_the_first():
    assert top(Scores({"ok": 0.2, "dent": 0.8})) == ("dent", 0.8)
    assert top(Scores({"ok": 0.5, "dent": 0.5})) == ("ok", 0.5)
