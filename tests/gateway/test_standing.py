"""What the road remembers is a moment old at most, and never lets automation outlive its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from gateway import authentication, deployments, door, routing, standing
from gateway.models import ApiToken
from gateway.standing import Standing
from gateway.tokens import revoke_token
from policies.modes import Mode
from tests.conftest import Model, photo

URL = "/api/v1/lines/phones/items"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Clock:
    settings.ROAD_CACHE_SECONDS = 1
    made = Clock()
    for place, name in ((authentication, "_standing"), (door, "_standing"), (deployments, "_standing"), (routing, "_known")):
        monkeypatch.setattr(place, name, Standing(getattr(place, name)._ask, made))
    return made


def test_it_is_asked_once_a_moment(settings: Any) -> None:
    settings.ROAD_CACHE_SECONDS = 1
    clock, asked = Clock(), []
    kept: Standing[str, str] = Standing(lambda key: asked.append(key) or key.upper(), clock)
    assert [kept.get("a"), kept.get("a"), kept.get("b")] == ["A", "A", "B"]
    clock.at += 1
    assert kept.get("a") == "A"
    kept.forget("a")
    kept.get("a")
    assert asked == ["a", "b", "a", "a"]


def test_what_is_not_there_is_not_remembered(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROAD_CACHE_SECONDS = 1
    monkeypatch.setattr(standing, "MOST", 2)
    kept: Standing[int, int] = Standing(lambda key: key or None, Clock())
    assert [kept.get(key) for key in (0, 1, 2, 3)] == [None, 1, 2, 3]
    assert len(kept._kept) <= 2


def test_a_revoked_token_ends_within_the_moment(
    api: Client, clock: Clock, line: Any, token: tuple[ApiToken, str], now: Any
) -> None:
    ApiToken.objects.update(last_used_at=now)
    assert api.post(URL, photo(), content_type="image/jpeg").status_code == 201
    revoke_token(token[0], by=None, now=now)
    clock.at += 1
    assert api.post(URL, photo(1), content_type="image/jpeg").status_code == 401


def test_less_automation_holds_at_once(post: Callable[..., Any], clock: Clock, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    assert post()["reason"] == "full"
    dial(Mode.HUMAN_ONLY)
    assert post(seed=1)["reason"] == "human_only"


def test_under_load_an_item_asks_for_its_policy_alone(
    api: Client, clock: Clock, dial: Callable[..., Any], model: Model, now: Any, django_assert_num_queries: Any
) -> None:
    """Begin, policy, item, prediction, decision, event, end; and a lock on the policy where writers come side by side."""
    dial(Mode.FULL)
    ApiToken.objects.update(last_used_at=now)
    api.post(URL, photo(), content_type="image/jpeg")
    with django_assert_num_queries(7 + connection.features.has_select_for_update):
        api.post(URL, photo(1), content_type="image/jpeg")
