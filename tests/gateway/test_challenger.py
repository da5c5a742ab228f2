"""The challenger scores live items in the background, seen by nobody who judges, and harming nothing when it fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from kombu.exceptions import OperationalError

from gateway import deployments, media, scoring, tasks
from gateway.background import wake
from gateway.celery import app
from gateway.models import Deployment, Item, Prediction, Role
from inference.models import ModelVersion
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, uuid_of, version


@pytest.fixture
def rival(line: Line, model: Model, now: datetime) -> ModelVersion:
    """The line's challenger; it gives the same answers as the stand-in of the champion."""
    found = version("rival")
    deployments.deploy(line, found, Role.CHALLENGER, by=None, reason="test", now=now)
    return found


def said(role: Role) -> list[str]:
    return [str(one.item_id) for one in Prediction.objects.filter(role=role).order_by("item_id")]


def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose every message to the worker."""
    monkeypatch.setattr(tasks, "wake", lambda task, *args: False)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.FULL])
def test_it_scores_what_arrives_in_every_mode_that_runs_a_model(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, mode: Mode
) -> None:
    dial(mode)
    answer = post()
    found = Prediction.objects.get(role=Role.CHALLENGER)
    assert (str(found.item_id), found.model_version, found.answer) == (answer["id"], rival, "ok")
    assert found.latency_ms == 1.5


def test_what_it_says_routes_nothing_and_is_shown_nowhere(
    api: Client, post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, model: Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    lost(monkeypatch)
    dial(Mode.FULL)
    answer = post()
    model.says = {"ok": 0.0, "scratch": 0.0, "dent": 1.0}
    tasks.challenger_scores(Line.objects.get().pk, [answer["id"]])
    assert Prediction.objects.get(role=Role.CHALLENGER).answer == "dent"

    url = f"/api/v1/items/{answer['id']}"
    assert api.get(url).json() == answer
    listed = api.get("/api/v1/lines/phones/items").json()["results"]
    assert listed == [answer]
    explained = api.get(f"{url}/explanation").json()
    assert (explained["answer"], explained["model_version"]) == ("ok", "inspection-test-1")
    assert "rival" not in str(listed) + str(explained)


def test_in_human_only_no_model_runs_and_so_it_does_not_either(
    post: Callable[..., Any], dial: Callable[..., Any], line: Line, rival: ModelVersion, model: Model
) -> None:
    """Neither for a message nor by the clock."""
    item_id = post()["id"]
    assert tasks.challenger_scores(line.pk, [item_id]) == 0
    _make_older(minutes=5)
    assert tasks.catch_up_challengers() == 0
    assert (said(Role.CHALLENGER), model.asked) == ([], 0)


def test_what_it_said_is_not_shown_in_human_only_either(
    api: Client, post: Callable[..., Any], dial: Callable[..., Any], line: Line, rival: ModelVersion
) -> None:
    url = f"/api/v1/items/{post()['id']}"
    dial(Mode.SHADOW)
    tasks.challenger_scores(line.pk, [url.rpartition("/")[2]])
    assert Prediction.objects.filter(role=Role.CHALLENGER).exists()
    assert api.get(url).json()["prediction"] is None
    assert api.get(f"{url}/explanation").json()["probabilities"] is None


def test_without_a_challenger_nobody_is_woken(
    post: Callable[..., Any], dial: Callable[..., Any], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr(tasks, "wake", lambda task, *args: woken.append(task))
    dial(Mode.FULL)
    post()
    assert woken == []


def test_a_broker_that_is_down_harms_no_post(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.challenger_scores, "apply_async", refuse)
    dial(Mode.FULL)
    assert post()["status"] == "decided"
    assert said(Role.CHALLENGER) == []


# One try and no pause between tries: what the product's settings have to say.
AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}


@pytest.mark.parametrize("url", ["redis+socket:///nowhere/broker.sock", "redis://127.0.0.1:1/0"])
def test_a_broker_that_cannot_be_reached_at_all_is_told_and_not_raised(url: str) -> None:
    """The real client against an address where nothing listens."""
    broken = type(app)("broken", broker=url, set_as_current=False)
    broken.conf.task_publish_retry = False
    broken.conf.broker_transport_options = AT_ONCE

    @broken.task(name="nothing")
    def nothing() -> None:
        """Never run."""

    assert wake(nothing) is False
    broken.close()


def test_nobody_waits_for_a_broker_that_is_down(settings: Any) -> None:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert {name: options.get(name) for name in AT_ONCE} == AT_ONCE


def test_the_clock_makes_up_for_lost_messages(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    lost(monkeypatch)
    dial(Mode.SHADOW)
    ids = [post(seed=seed)["id"] for seed in range(3)]
    assert tasks.catch_up_challengers() == 0, "the last seconds belong to messages on their way"
    _make_older(minutes=5)
    assert tasks.catch_up_challengers() == 3
    assert said(Role.CHALLENGER) == ids
    assert tasks.catch_up_challengers() == 0


def test_what_came_before_the_challenger_is_not_scored(
    post: Callable[..., Any], line: Line, model: Model, now: datetime
) -> None:
    post(seed=1)
    _make_older(minutes=5)
    deployments.deploy(line, version("rival"), Role.CHALLENGER, by=None, reason="test", now=now - timedelta(minutes=1))
    assert tasks.catch_up_challengers() == 0


def test_a_message_that_comes_twice_scores_once(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, model: Model
) -> None:
    dial(Mode.SHADOW)
    item_id = post()["id"]
    assert tasks.challenger_scores(Line.objects.get().pk, [item_id]) == 0
    assert len(said(Role.CHALLENGER)) == 1


def test_two_workers_with_the_same_items_leave_one_score(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second had looked before the first wrote."""
    lost(monkeypatch)
    dial(Mode.SHADOW)
    item = Item.objects.get(pk=uuid_of(post()))
    line = Line.objects.get()
    for _ in range(2):
        scoring.score_items(line, rival, [item])
    assert len(said(Role.CHALLENGER)) == 1


def test_a_challenger_that_fails_leaves_everything_else_alone(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(monkeypatch)
    dial(Mode.SHADOW)
    post()
    _make_older(minutes=5)
    model.fails = True
    assert tasks.catch_up_challengers() == 0
    model.fails = False
    assert tasks.catch_up_challengers() == 1


def test_a_photo_that_is_no_longer_kept_is_passed_over(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, media_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One missing file must not keep the challenger from all items after it, for good."""
    lost(monkeypatch)
    dial(Mode.SHADOW)
    gone, kept = post(seed=1), post(seed=2)
    media.path_of(gone["photo"]["sha256"]).unlink()
    _make_older(minutes=5)
    assert tasks.catch_up_challengers() == 1
    assert said(Role.CHALLENGER) == [kept["id"]]


def test_any_number_of_unreadable_photos_is_passed_over(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, media_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older and newer ones that can be read get their turn, the newest first, and each once a run."""
    lost(monkeypatch)
    monkeypatch.setattr(tasks, "BATCH", 2)
    dial(Mode.SHADOW)
    posted = [post(seed=seed) for seed in range(9)]
    for one in posted[1:8]:
        media.path_of(one["photo"]["sha256"]).unlink()
    _make_older(minutes=5)
    looked: list[str] = []
    real = media.load
    monkeypatch.setattr(media, "load", lambda digest: looked.append(digest) or real(digest))
    assert tasks.catch_up_challengers() == 2
    assert said(Role.CHALLENGER) == [posted[0]["id"], posted[8]["id"]]
    assert looked == [one["photo"]["sha256"] for one in reversed(posted)]


def test_a_run_ends_when_its_time_is_over_and_the_next_goes_on(
    post: Callable[..., Any], dial: Callable[..., Any], rival: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(monkeypatch)
    monkeypatch.setattr(tasks, "BATCH", 2)
    monkeypatch.setattr(tasks, "CATCH_UP_SECONDS", -1.0)
    dial(Mode.SHADOW)
    ids = [post(seed=seed)["id"] for seed in range(3)]
    _make_older(minutes=5)
    assert tasks.catch_up_challengers() == 2
    assert said(Role.CHALLENGER) == ids[1:]
    assert tasks.catch_up_challengers() == 1


def test_a_challenger_that_was_retired_meanwhile_scores_nothing(
    post: Callable[..., Any], line: Line, rival: ModelVersion, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(monkeypatch)
    item_id = post()["id"]
    deployments.retire_challenger(line, by=None, reason="test", now=now)
    assert tasks.challenger_scores(line.pk, [item_id]) == 0
    _make_older(minutes=5)
    assert tasks.catch_up_challengers() == 0


def _make_older(minutes: int) -> None:
    """Let some time pass for everything that there is."""
    for item in Item.objects.all():
        Item.objects.filter(pk=item.pk).update(received_at=item.received_at - timedelta(minutes=minutes))
    for one in Deployment.objects.all():
        Deployment.objects.filter(pk=one.pk).update(started_at=one.started_at - timedelta(minutes=minutes))
