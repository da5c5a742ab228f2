"""When a failed call is made again, and when it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inference.remote.budget import Budget
from inference.remote.errors import RemoteFailed
from inference.remote.retrying import MOST_TRIES, retrying

GONE = RemoteFailed("gone", transient=True)


class Flaky:
    """Raises what it is given, one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0
        self.pauses: list[float] = []
        self.left = 10.0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "well"

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds

    def run(self, budget: Budget | None = None, draw: Callable[[], float] = lambda: 1.0) -> str:
        return retrying(
            self, budget or Budget(floor=10, clock=lambda: 0.0), left=lambda: self.left, sleep=self.sleep, draw=draw
        )


def test_a_transient_failure_is_asked_again_after_a_growing_pause() -> None:
    flaky = Flaky(GONE, GONE)
    assert flaky.run() == "well"
    assert flaky.pauses == [0.1, 0.2]


def test_the_pause_is_drawn() -> None:
    flaky = Flaky(GONE, GONE)
    flaky.run(draw=lambda: 0.25)
    assert flaky.pauses == pytest.approx([0.025, 0.05])


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (RemoteFailed("rubbish"), 10.0),
        (RemoteFailed("late", timed_out=True), 10.0),
        (RemoteFailed("busy for long", transient=True, wait=1.5), 10.0),
        (RemoteFailed("busy until after", transient=True, wait=0.5), 0.4),
        (GONE, 0.05),
        (ValueError("a bug"), 10.0),
    ],
)
def test_what_is_not_asked_again(error: Exception, left: float) -> None:
    flaky = Flaky(error)
    flaky.left = left
    with pytest.raises(type(error), match=str(error)):
        flaky.run()
    assert (flaky.asked, flaky.pauses) == (1, [])


def test_the_server_may_ask_for_a_longer_pause() -> None:
    flaky = Flaky(RemoteFailed("busy", transient=True, wait=1.0))
    assert flaky.run() == "well"
    assert flaky.pauses == [1.0]


def test_there_is_an_end() -> None:
    flaky = Flaky(*[GONE] * 10)
    with pytest.raises(RemoteFailed, match="gone"):
        flaky.run()
    assert flaky.asked == MOST_TRIES


def test_without_budget_nothing_is_asked_again() -> None:
    budget = Budget(share=0.1, floor=0, clock=lambda: 0.0)
    flaky = Flaky(*[GONE] * 100)
    for _ in range(20):
        with pytest.raises(RemoteFailed):
            flaky.run(budget)
    # Twenty calls have earned two retries.
    assert flaky.asked == 22
