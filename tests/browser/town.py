"""A line as it looks after a while: what its pages and its dial are tried on. Written straight into the tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
from django.contrib.auth.models import User

from gateway import deployments, media
from gateway.models import Item, Role
from gateway.webhooks import redelivery
from gateway.webhooks.models import Delivery, DeliveryState, Endpoint
from inference.evaluation import metrics
from inference.models import ModelVersion
from monitoring.models import Conveyor
from policies.changes import active_policy, change_policy, draft_of
from policies.models import Line
from policies.modes import Mode
from review.models import LabelExample, TrainingRun
from tests.conftest import CLASSES, photo, version
from tests.monitoring import rows

# What the champion said about the audited items and how sure it was, and what people said: from sure to guessing.
AUDITED = [
    *[("ok", score, "ok") for score in (0.999, 0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.93, 0.91, 0.9, 0.86, 0.82)],
    *[("ok", 0.92, "dent"), ("ok", 0.75, "scratch"), ("ok", 0.66, "ok"), ("ok", 0.55, "dent")],
    *[("scratch", score, "scratch") for score in (0.99, 0.9, 0.8)],
    *[("scratch", 0.7, "ok"), ("dent", 0.97, "dent"), ("dent", 0.6, "scratch")],
]


def furnish(line: Line, ines: User, max_: User, now: datetime) -> Item:
    """Give the line a history, models, work done and work that waits; return an item with a long story."""
    champion = _serve(line, max_, now)
    for said, score, truth in AUDITED:
        item = rows.automated(line, now, said, in_audit=True, **_photo())
        rows.prediction(item, said, score, champion)
        rows.judgement(rows.referral(item, now, reason="audit", state="settled"), ines, truth, now)
        rows.label(item, truth, now)
    story = rows.item(line, now, reason="uncertain", metadata={"station": 3}, **_photo())
    places = [{"label": "scratch", "x": 0.2, "y": 0.2, "width": 0.3, "height": 0.1, "score": 0.6}]
    heat = {"heatmap_rows": 2, "heatmap_columns": 2, "heatmap": bytes([0, 90, 250, 20])}
    rows.prediction(story, "scratch", 0.6, champion, regions=places, **heat)
    rows.referral(story, now, blind=False)
    rows.item(line, now, state="held", **_photo())
    Conveyor.objects.create(line=line, heartbeat_at=now)
    _write_the_book(line, story)
    _tell_others(now)
    return story


def _serve(line: Line, max_: User, now: datetime) -> ModelVersion:
    """Turn the dial to partial in three steps; put a champion and a challenger into service, and let a candidate wait."""
    for mode, words in ((Mode.SHADOW, "Let it watch"), (Mode.ASSIST, "It agrees with us"), (Mode.PARTIAL, "98 % agreement")):
        current = active_policy(line)
        draft = replace(draft_of(current), mode=mode, thresholds={"ok": 0.9}, audit_rate=0.1)
        change_policy(line, draft, expected=current.number, by=max_, reason=words, now=now)
    champion, challenger, candidate = (version(f"inspection-test-{number}") for number in (1, 2, 3))
    deployments.deploy(line, champion, Role.CHAMPION, by=max_, reason="The first one", now=now)
    deployments.deploy(line, challenger, Role.CHALLENGER, by=max_, reason="Have a look", now=now)
    evaluation = {"candidate": _measured(0.9), "champion": _measured(0.6), "champion_name": champion.name}
    done = {"state": "done", "progress": 1, "created_at": now, "ended_at": now, "requested_by": max_}
    TrainingRun.objects.create(line=line, reason="More labels", model_version=candidate, evaluation=evaluation, **done)
    return champion


def _measured(sure: float) -> dict[str, object]:
    truth = np.arange(30) % len(CLASSES)
    said = np.full((30, len(CLASSES)), (1 - sure) / 2)
    said[np.arange(30), np.where(np.arange(30) % 7 == 0, (truth + 1) % 3, truth)] = sure
    return metrics(truth, said, CLASSES)


def _photo() -> dict[str, object]:
    data = photo(1)
    return {"media_digest": media.store(data), "width": 48, "height": 32}


def _write_the_book(line: Line, item: Item) -> None:
    entry = line.classes.get(key="scratch")
    line.classes.filter(pk=entry.pk).update(examples="Longer than 2 mm\nFelt with a nail", counter_examples="Dust")
    LabelExample.objects.create(label_class=entry, item=item, caption="At the edge")


def _tell_others(now: datetime) -> None:
    """An endpoint that takes most of what it is told, and one that was given up."""
    common = {"url": "https://sorter.example.org/hook", "secret": "whsec_AAAA", "position": 0, "created_at": now}
    sorter = Endpoint.objects.create(pk=1, name="sorting machine", types=["item.decided", "item.superseded"], **common)
    gone = {"failing_since": now, "disabled_at": now, "disabled_why": "It answered 410: gone for good."}
    Endpoint.objects.create(pk=2, name="old ledger", types=["item.decided"], **common, **gone)
    for number, state in enumerate(DeliveryState.values):
        delivery = redelivery.send_test(sorter, now=now)
        status = (503, 204, 404)[number]
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, attempts=number + 1, last_at=now, last_status=status, last_ms=31, last_answer="later, please"
        )
