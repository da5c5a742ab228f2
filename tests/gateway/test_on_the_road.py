"""The policy changes while an item is on its way between the model and the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.models import Decision, Item
from inference import service
from policies.models import PolicyVersion
from policies.modes import Mode
from tests.conftest import Model


@pytest.fixture
def meanwhile(model: Model, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Any]]:
    """What is in this list happens while the model thinks."""
    happenings: list[Callable[[], Any]] = []

    def predict(*args: Any, **values: Any) -> Any:
        found = model.predict(*args, **values)
        while happenings:
            happenings.pop()()
        return found

    monkeypatch.setattr(service, "predict", predict)
    return happenings


def test_lowering_automation_holds_for_items_already_on_the_road(
    post: Callable[..., Any], dial: Callable[..., Any], meanwhile: list[Callable[[], Any]]
) -> None:
    dial(Mode.FULL)
    meanwhile.append(lambda: dial(Mode.HUMAN_ONLY))
    answer = post()
    assert (answer["status"], answer["reason"], answer["policy_version"]) == ("referred", "human_only", 3)
    assert not Decision.objects.exists()


def test_a_new_threshold_holds_for_items_already_on_the_road(
    post: Callable[..., Any], dial: Callable[..., Any], meanwhile: list[Callable[[], Any]]
) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9})
    meanwhile.append(lambda: dial(Mode.PARTIAL, thresholds={"ok": 0.99}))
    assert (post()["reason"], PolicyVersion.objects.count()) == ("uncertain", 3)


def test_raising_automation_waits_for_the_next_item(
    post: Callable[..., Any], dial: Callable[..., Any], line: Any, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The item had come under a policy that asks no model: the new one has nothing to decide it with."""
    monkeypatch.setattr("gateway.media.store_all", lambda photos: dial(Mode.FULL))
    answer = post()
    assert (answer["reason"], answer["policy_version"], answer["mode"]) == ("human_only", 1, "human_only")
    assert Item.objects.get().policy.number == 1


def test_a_model_that_is_missing_refers(post: Callable[..., Any], dial: Callable[..., Any], line: Any) -> None:
    dial(Mode.FULL)
    answer = post()
    assert (answer["reason"], answer["model_version"], answer["prediction"]) == ("model_unavailable", None, None)


def test_a_batch_whose_model_fails_goes_to_people_whole(
    post: Callable[..., Any], dial: Callable[..., Any], model: Model
) -> None:
    dial(Mode.FULL)
    model.fails = True
    assert post()["reason"] == "model_unavailable"
    model.fails = False
    assert post(seed=1)["reason"] == "full"
