"""The draw: fixed by id and secret, uniform, and not to be guessed."""

from __future__ import annotations

import random
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import uuid7
from policies.decide import draw_for


@given(st.uuids(), st.text())
def test_a_draw_lies_in_the_unit_interval_and_never_changes(item_id: UUID, secret: str) -> None:
    draw = draw_for(item_id, secret)
    assert 0 <= draw < 1
    assert draw == draw_for(item_id, secret)


def test_the_draw_of_a_known_item() -> None:
    """Frozen: audit samples drawn years ago must come out the same, or their probabilities would be wrong."""
    assert draw_for(UUID(int=1), "secret") == 0.988728120489319
    assert draw_for(UUID("0197a2b4-0000-7000-8000-000000000000"), "another") == 0.6766929082985091


def _distance_from_uniform(draws: list[float]) -> float:
    """Return the Kolmogorov-Smirnov statistic: the largest gap between the empirical distribution and the diagonal."""
    ordered = np.sort(draws)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def test_draws_are_uniform() -> None:
    dice = random.Random(7)
    draws = [draw_for(UUID(int=dice.getrandbits(128), version=4), "line") for _ in range(20_000)]
    # The 0.1 % point of the statistic for 20 000 draws.
    assert _distance_from_uniform(draws) < 1.95 / 20_000**0.5


def test_draws_of_ids_that_follow_each_other_are_uniform_too() -> None:
    """Real ids share their first bits: time is in them."""
    first = uuid7().int
    draws = [draw_for(UUID(int=first + step), "line") for step in range(20_000)]
    # A one in a million chance: the first id is not seeded.
    assert _distance_from_uniform(draws) < 2.7 / 20_000**0.5


def test_another_secret_gives_unrelated_draws() -> None:
    dice = random.Random(11)
    ids = [UUID(int=dice.getrandbits(128), version=4) for _ in range(5_000)]
    one, other = ([draw_for(item_id, secret) for item_id in ids] for secret in ("a", "b"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
    assert one != other
