"""What a message says: a function of the event and of the decision then made, never of how the item stands when it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from gateway.models import Decision, Event
from gateway.webhooks.types import TEST, TYPE_OF

Decisions = Mapping[tuple[Any, datetime, str], Decision]


def body_of(kind: str, at: datetime, data: Mapping[str, Any]) -> str:
    """Return the text of a message as the specification lays it out."""
    return json.dumps({"type": kind, "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": data})


def bodies_of(events: Sequence[Event]) -> dict[int, tuple[str, str]]:
    """Return type and text for each event, by its id. The events come with their lines, items and policies."""
    decisions = _decisions(events)
    return {
        event.pk: (TYPE_OF[event.kind], body_of(TYPE_OF[event.kind], event.at, _data(event, decisions))) for event in events
    }


def test_body(endpoint: str, now: datetime) -> str:
    """Return the text of a test message."""
    return body_of(TEST, now, {"endpoint": endpoint})


def _decisions(events: Iterable[Event]) -> Decisions:
    """Return the decision that each event tells of: the one of the same item, moment and answer. One query."""
    asked = [event for event in events if event.kind in {"item.decided", "decision.superseded"}]
    if not asked:
        return {}
    found = Decision.objects.filter(item__in={event.item_id for event in asked}).select_related("policy", "model_version")
    return {(decision.item_id, decision.created_at, decision.answer): decision for decision in found}


def _data(event: Event, decisions: Decisions) -> dict[str, Any]:
    common: dict[str, Any] = {"event": event.pk, "line": event.line.slug, "by": event.actor}
    if event.item_id is not None:
        return common | _item(event) | _of_item(event, decisions.get((event.item_id, event.at, event.to_state)))
    return common | _OF_LINE[TYPE_OF[event.kind]](event)


def _item(event: Event) -> dict[str, Any]:
    item = event.item
    return {
        "item": str(event.item_id),
        "external_id": item.external_id if item else "",
        "reason": event.reason,
        "link": _link("item", event.item_id),
    }


def _of_item(event: Event, decision: Decision | None) -> dict[str, Any]:
    if decision is not None:
        return _decided(decision) | ({"previous": event.from_state} if event.kind == "decision.superseded" else {})
    if event.kind.startswith("judgement."):
        answer = None if event.to_state == "unsure" else event.to_state
        return {"answer": answer, "revised": event.kind == "judgement.revised"}
    return {"policy": event.item.policy.number if event.item else None}


def _decided(decision: Decision) -> dict[str, Any]:
    model = decision.model_version
    return {
        "answer": decision.answer,
        "decided_by": decision.decided_by,
        "revision": decision.number,
        "policy": decision.policy.number,
        "model": model.name if model else None,
        "reason": decision.reason,
    }


def _policy(event: Event) -> dict[str, Any]:
    change = event.data
    return {
        "from": {"policy": change.get("from"), "mode": event.from_state},
        "to": {"policy": change.get("to"), "mode": event.to_state},
        "reason": event.reason,
        "link": _link("line-policies", event.line.slug),
    }


def _alarm(event: Event) -> dict[str, Any]:
    found = event.data
    return {
        "watch": found.get("watch"),
        "label": found.get("label"),
        "from": {"mode": event.from_state},
        "to": {"mode": event.to_state},
        "reason": event.reason,
        "link": _link("alarm", found.get("alarm")),
    }


def _dataset(event: Event) -> dict[str, Any]:
    number = event.to_state.rpartition(" ")[2]
    return {"dataset": int(number) if number.isdecimal() else None, "rows": event.data.get("rows")}


def _model(event: Event) -> dict[str, Any]:
    link = _link("model", event.line.slug, event.to_state)
    return {"model": event.to_state, "previous": event.from_state or None, "reason": event.reason, "link": link}


_OF_LINE = {"policy.changed": _policy, "guardrail.alarm": _alarm, "dataset.ready": _dataset, "model.promoted": _model}


def _link(name: str, *arguments: object) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse(name, args=arguments)}"
