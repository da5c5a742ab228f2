"""The side on which an item lies: a function of the item alone, so that it can never move."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.splits import split_of

TEXTS = st.text(max_size=20)


@given(TEXTS, TEXTS.filter(bool), TEXTS, TEXTS)
def test_all_photos_of_a_unit_lie_on_one_side(line: str, unit: str, one: str, other: str) -> None:
    assert split_of(line, unit, one) == split_of(line, unit, other)


@given(TEXTS, TEXTS, TEXTS)
def test_the_same_item_lies_where_it_lay(line: str, unit: str, digest: str) -> None:
    assert split_of(line, unit, digest) == split_of(line, unit, digest) in {"train", "validation", "test"}


PINNED = [
    "test",
    "test",
    "train",
    "test",
    "train",
    "test",
    "validation",
    "train",
    "train",
    "train",
    "train",
    "test",
    "test",
    "train",
]


def test_the_sides_of_known_items_never_change() -> None:
    """Pinned: a change of the rule would move items that models were trained on into the test split."""
    sides = [split_of("phones", f"unit-{number}", "") for number in range(14)]
    assert sides == PINNED


@pytest.mark.parametrize("by", ["unit", "photo"])
def test_the_shares_are_seventy_and_twice_fifteen(by: str) -> None:
    numbers = range(20_000)
    sides = Counter(split_of("line", str(n) if by == "unit" else "", "" if by == "unit" else str(n)) for n in numbers)
    assert sides["train"] / len(numbers) == pytest.approx(0.70, abs=0.015)
    assert sides["validation"] / len(numbers) == pytest.approx(0.15, abs=0.012)
    assert sides["test"] / len(numbers) == pytest.approx(0.15, abs=0.012)


def test_without_a_unit_identical_photos_lie_together_and_others_apart() -> None:
    assert len({split_of("line", "", "same") for _ in range(3)}) == 1
    assert len({split_of("line", "", str(n)) for n in range(40)}) == 3
