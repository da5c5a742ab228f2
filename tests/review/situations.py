"""Every way in which an inspector comes to look at an item without being allowed to know what the model said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from gateway.models import Item
from inference.predictions import Heatmap, Region
from policies.models import Line, Reveal
from policies.modes import Mode
from tests.review.people import change, judge

# Numbers and names that occur nowhere else.
SAYS = {"ok": 0.1527, "scratch": 0.7351, "dent": 0.1122}
BOX = Region("scratch", 0.1379, 0.2468, 0.3571, 0.0864, 0.6173)
HEAT = Heatmap(2, 3, bytes([17, 231, 118, 99, 201, 43]))
CHAMPION, CHALLENGER = "inspection-whisper-77", "inspection-rumour-88"


class Stage:
    """What a situation needs to come about."""

    def __init__(self, line: Line, people: list[User], dial: Any, post: Any, api: Client, now: datetime) -> None:
        self.line, self.people, self.dial, self.post, self.api, self.now = line, people, dial, post, api, now

    def arrive(self, mode: Mode, **policy: Any) -> Item:
        """Turn the dial and let one photo come in at the door."""
        self.dial(mode, thresholds={"scratch": 0.7}, **policy)
        return Item.objects.get(pk=self.post(seed=1, external_id="SN-1")["id"])

    def reveals(self, when: Reveal) -> None:
        """Choose when the line shows its predictions."""
        Line.objects.filter(pk=self.line.pk).update(reveal=when)
        self.line.refresh_from_db()


def brought(stage: Stage) -> Item:
    region = {name: getattr(BOX, name) for name in ("label", "x", "y", "width", "height", "score")}
    prediction = json.dumps({"probabilities": SAYS, "regions": [region]})
    stage.dial(Mode.HUMAN_ONLY)
    return Item.objects.get(pk=stage.post(seed=1, external_id="SN-1", prediction=prediction)["id"])


def disagreement(stage: Stage) -> Item:
    item = stage.arrive(Mode.ASSIST, audit_rate=1.0, overlap=2)
    _, noor, omar = stage.people
    judge(stage.line, noor, "ok", stage.now)
    judge(stage.line, omar, "dent", stage.now)
    return item


def appeal(stage: Stage) -> Item:
    item = stage.arrive(Mode.FULL, audit_rate=0.0)
    body = {"reason": "The customer sent it back"}
    assert stage.api.post(f"/api/v1/items/{item.pk}/appeal", body, content_type="application/json").status_code == 201
    return item


def never_revealed(mode: Mode) -> Callable[[Stage], Item]:
    def build(stage: Stage) -> Item:
        stage.reveals(Reveal.BLIND)
        stage.dial(mode, thresholds={"scratch": 0.99}, audit_rate=0.0)
        return Item.objects.get(pk=stage.post(seed=1, external_id="SN-1")["id"])

    return build


def audited_below_the_threshold(stage: Stage) -> Item:
    stage.dial(Mode.PARTIAL, thresholds={"scratch": 0.99}, audit_rate=1.0)
    return Item.objects.get(pk=stage.post(seed=1, external_id="SN-1")["id"])


def answered(then: str, **policy: Any) -> Callable[[Stage], Item]:
    """Ines has answered, and may still change her answer."""

    def build(stage: Stage) -> Item:
        item = stage.arrive(Mode.FULL, audit_rate=1.0, **policy)
        judge(stage.line, stage.people[0], then, stage.now)
        return item

    return build


def taken_back(stage: Stage) -> Item:
    item = stage.arrive(Mode.FULL, audit_rate=1.0)
    change(stage.people[0], judge(stage.line, stage.people[0], "dent", stage.now), "", stage.now)
    return item


SITUATIONS: dict[str, Callable[[Stage], Item]] = {
    "human_only, prediction brought": brought,
    "shadow": lambda stage: stage.arrive(Mode.SHADOW),
    "audit in assist": lambda stage: stage.arrive(Mode.ASSIST, audit_rate=1.0),
    "audit in partial, decided": lambda stage: stage.arrive(Mode.PARTIAL, audit_rate=1.0),
    "audit in partial, referred": audited_below_the_threshold,
    "audit in full": lambda stage: stage.arrive(Mode.FULL, audit_rate=1.0),
    "disagreement": disagreement,
    "appeal": appeal,
    "assist on a line that never reveals": never_revealed(Mode.ASSIST),
    "partial on a line that never reveals": never_revealed(Mode.PARTIAL),
    "answered, may be changed": answered("ok"),
    "answered unsure, a second is asked": answered("", overlap=2),
    "answered, a second is asked": answered("ok", overlap=2),
    "taken back": taken_back,
}
# In these the reviewer has no card any more.
DONE = {"answered, may be changed", "answered unsure, a second is asked", "answered, a second is asked", "taken back"}

# In these people decide whatever the model says.
NOT_DECIDED_BY_THE_MODEL = {"audit in assist", "disagreement"}
