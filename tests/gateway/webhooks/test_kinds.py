"""Every move that is to be told outside has its type, and says what the docs promise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as kept
from django.contrib.auth.models import User

from gateway import deployments, lifecycle
from gateway.events import event
from gateway.models import Item, Role
from gateway.webhooks import feed
from gateway.webhooks.models import Delivery, Endpoint
from gateway.webhooks.payloads import test_body as body_of_a_test
from gateway.webhooks.types import TEST, TYPES
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, version

DOCS = Path(kept.BASE_DIR) / "docs" / "webhooks.md"


def told(now: datetime) -> dict[str, dict[str, Any]]:
    """Return the last message of each type."""
    feed.derive(now)
    return {name: json.loads(body)["data"] for name, body in Delivery.objects.order_by("event").values_list("type", "body")}


def examples() -> dict[str, dict[str, Any]]:
    found = [json.loads(text) for text in re.findall(r"```json\n(\{\"type\".*?)```", DOCS.read_text(), re.DOTALL)]
    return {one["type"]: one["data"] for one in found}


@pytest.fixture
def everything(endpoint_of: Callable[..., Endpoint], post: Any, line: Line, max_: User, ines: User, now: datetime) -> Any:
    """Let one of each happen."""
    endpoint_of()

    def happen(dial: Any, model: Model) -> dict[str, dict[str, Any]]:
        post(1, external_id="A1")
        item = Item.objects.get()
        lifecycle.fail_safe(item.pk, now=now)
        lifecycle.settle(item.pk, "dent", user=ines, reason=Reason.HUMAN_ONLY, now=now)
        lifecycle.settle(item.pk, "ok", user=ines, reason=Reason.APPEAL, now=now)
        lifecycle.refer(Item.objects.get(), Reason.APPEAL, blind=True, actor="token:camera", now=now, note="scratched")
        given = {"item": item, "actor": "user:ines", "now": now, "to_state": "unsure", "reason": "human_only"}
        event("judgement.given", **given).save()
        dial(Mode.SHADOW)
        event("policy.changed", line=line, actor="user:max", now=now, from_state="human_only", to_state="shadow",
              reason="let it watch", data={"from": 1, "to": 2}).save()  # fmt: skip
        event("guardrail.alarm", line=line, actor="system:guardrail", now=now, from_state="full", to_state="assist",
              reason="too many escapes", data={"alarm": 3, "watch": "errors", "label": "ok"}).save()  # fmt: skip
        event("dataset.frozen", line=line, actor="user:max", now=now, to_state="dataset 4", data={"rows": 812}).save()
        deployments.deploy(line, version("inspection-test-2"), Role.CHAMPION, by=max_, reason="better", now=now)
        return told(now)

    return happen


def test_each_type_is_told_as_the_docs_say(everything: Any, dial: Any, model: Model, now: datetime) -> None:
    found = everything(dial, model)
    assert set(found) == set(TYPES)
    documented = examples()
    assert set(documented) == {*TYPES, TEST}
    for name, data in found.items():
        assert set(data) == set(documented[name]), name
        assert {key: type(value) for key, value in data.items() if value is not None} == {
            key: type(value) for key, value in documented[name].items() if data[key] is not None
        }, name
    assert set(json.loads(body_of_a_test("sorter", now))["data"]) == set(documented[TEST])


def test_some_of_what_is_said(everything: Any, dial: Any, model: Model, line: Line) -> None:
    found = everything(dial, model)
    assert found["item.judged"]["answer"] is None
    assert found["item.referred"]["reason"] == "appeal"
    assert found["policy.changed"]["to"] == {"policy": 2, "mode": "shadow"}
    assert found["guardrail.alarm"]["link"] == "/alarms/3/"
    assert (found["dataset.ready"]["dataset"], found["dataset.ready"]["rows"]) == (4, 812)
    assert found["model.promoted"]["model"] == "inspection-test-2"
    assert found["model.promoted"]["previous"] == "inspection-test-1"


def test_the_kinds_are_those_that_the_moves_write() -> None:
    """A kind that is renamed where it is written must not silently end a subscription."""
    apps = ("gateway", "review", "monitoring")
    sources = [path for app in apps for path in (Path(kept.BASE_DIR) / app).rglob("*.py") if "webhooks" not in path.parts]
    text = "".join(path.read_text() for path in sources)
    composed = {
        "model.champion": 'f"model.{role.value}"',
        "item.decided": '"item.decided"',
        "item.referred": 'f"item.{item.state}"',
    }
    for one in TYPES.values():
        for kind in one.kinds:
            assert composed.get(kind, f'"{kind}"') in text, kind
