"""Which model serves which line, in which role, from when to when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway import deployments
from gateway.errors import ModelDoesNotFit, NothingDeployed
from gateway.models import Decision, Deployment, Event, Item, Prediction, Role
from inference.models import ModelVersion
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, version

Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(line: Line, max_: User, now: datetime) -> Deploy:
    """Deploy a version, each a minute after the one before."""
    clock = [now]

    def call(model_version: ModelVersion, role: Role = Role.CHAMPION) -> Deployment:
        clock[0] += timedelta(minutes=1)
        return deployments.deploy(line, model_version, role, by=max_, reason="better", now=clock[0])

    return call


def history(line: Line, role: Role = Role.CHAMPION) -> list[tuple[str, bool]]:
    rows = Deployment.objects.filter(line=line, role=role).order_by("id").select_related("model_version")
    return [(row.model_version.name, row.ended_at is None) for row in rows]


def test_a_line_without_a_model(line: Line) -> None:
    assert (deployments.champion(line), deployments.challenger(line)) == (None, None)


def test_a_new_champion_ends_the_old_one(line: Line, deploy: Deploy) -> None:
    first, second = version("a"), version("b")
    old = deploy(first)
    new = deploy(second)
    old.refresh_from_db()
    assert deployments.champion(line) == second
    assert history(line) == [("a", False), ("b", True)]
    assert old.ended_at == new.started_at
    events = Event.objects.filter(kind="model.champion").order_by("id")
    assert [(one.from_state, one.to_state, one.actor, one.reason) for one in events] == [
        ("", "a", "user:max", "better"),
        ("a", "b", "user:max", "better"),
    ]


def test_the_same_again_changes_nothing(line: Line, deploy: Deploy) -> None:
    first = version("a")
    assert deploy(first) == deploy(first)
    assert history(line) == [("a", True)]
    assert Event.objects.count() == 1


def test_the_names_of_models_fit_into_an_event(line: Line, deploy: Deploy) -> None:
    """SQLite would not mind; other databases do."""
    longest = ModelVersion._meta.get_field("name").max_length
    for column in ("from_state", "to_state"):
        assert Event._meta.get_field(column).max_length >= longest


def test_a_challenger_runs_beside_the_champion(line: Line, deploy: Deploy) -> None:
    first, second = version("a"), version("b")
    deploy(first)
    deploy(second, Role.CHALLENGER)
    assert (deployments.champion(line), deployments.challenger(line)) == (first, second)


def test_a_challenger_that_becomes_champion_challenges_nobody(line: Line, deploy: Deploy) -> None:
    first, second = version("a"), version("b")
    deploy(first)
    deploy(second, Role.CHALLENGER)
    deploy(second)
    assert (deployments.champion(line), deployments.challenger(line)) == (second, None)
    assert history(line, Role.CHALLENGER) == [("b", False)]


def test_another_champion_leaves_the_challenger_alone(line: Line, deploy: Deploy) -> None:
    deploy(version("a"))
    challenger = version("b")
    deploy(challenger, Role.CHALLENGER)
    deploy(version("c"))
    assert deployments.challenger(line) == challenger


def test_one_step_back(line: Line, deploy: Deploy, max_: User, now: datetime) -> None:
    first, second = version("a"), version("b")
    deploy(first)
    deploy(second)
    later = now + timedelta(hours=1)
    back = deployments.step_back(line, by=max_, reason="escapes", now=later)
    assert (back.model_version, back.reason) == (first, "escapes")
    assert history(line) == [("a", False), ("b", False), ("a", True)]
    with pytest.raises(NothingDeployed):
        deployments.step_back(line, by=max_, reason="pressed twice", now=later)
    assert deployments.champion(line) == first


def test_a_second_step_goes_further_back_and_not_forward(line: Line, deploy: Deploy, max_: User, now: datetime) -> None:
    first, second, third = version("a"), version("b"), version("c")
    for one in (first, second, third):
        deploy(one)
    champions = [deployments.step_back(line, by=max_, reason="escapes", now=now).model_version for _ in range(2)]
    assert champions == [second, first]


@pytest.mark.parametrize("served", [0, 1])
def test_there_is_no_step_back_from_the_first(line: Line, deploy: Deploy, now: datetime, served: int) -> None:
    for number in range(served):
        deploy(version(str(number)))
    with pytest.raises(NothingDeployed, match="No other model was champion"):
        deployments.step_back(line, by=None, reason="back", now=now)


def test_retiring_the_challenger(line: Line, deploy: Deploy, max_: User, now: datetime) -> None:
    deploy(version("b"), Role.CHALLENGER)
    deployments.retire_challenger(line, by=max_, reason="no better", now=now + timedelta(hours=1))
    assert deployments.challenger(line) is None
    retired = Event.objects.get(kind="model.retired")
    assert (retired.from_state, retired.actor, retired.reason) == ("b", "user:max", "no better")
    with pytest.raises(NothingDeployed):
        deployments.retire_challenger(line, by=max_, reason="again", now=now)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "transcript"}, "looks at transcript; the line phones is of the kind inspection"),
        ({"classes": ["ok", "crack", "stain"]}, "can answer crack, stain, which the line phones does not have"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(line: Line, deploy: Deploy, values: dict[str, Any], words: str) -> None:
    serving = version("good")
    deploy(serving)
    odd = version("odd")
    ModelVersion.objects.filter(pk=odd.pk).update(**values)
    odd.refresh_from_db()
    with pytest.raises(ModelDoesNotFit, match=words):
        deploy(odd)
    assert deployments.champion(line) == serving


def test_a_model_of_fewer_classes_fits(line: Line, deploy: Deploy) -> None:
    deploy(version("narrow", ("ok", "dent")))
    assert deployments.champion(line) is not None


def test_two_champions_cannot_be(line: Line, deploy: Deploy, now: datetime) -> None:
    deploy(version("a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.create(line=line, model_version=version("b"), role=Role.CHAMPION, started_at=now, reason="r")


def test_a_change_of_model_touches_nothing_of_the_past(
    line: Line, post: Callable[..., Any], dial: Callable[..., Any], model: Model, now: datetime
) -> None:
    dial(Mode.FULL)
    post(seed=1)
    past = [list(table.objects.order_by("pk").values()) for table in (Item, Decision, Prediction)]
    deployments.deploy(line, version("next"), Role.CHAMPION, by=None, reason="better", now=now)
    model.says = {"ok": 0.0, "scratch": 1.0, "dent": 0.0}
    assert [list(table.objects.order_by("pk").values()) for table in (Item, Decision, Prediction)] == past
    answer = post(seed=2)
    assert (answer["model_version"], answer["decision"]) == ("next", "scratch")
    assert Decision.objects.get(item=answer["id"]).model_version.name == "next"
