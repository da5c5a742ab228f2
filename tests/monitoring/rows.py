"""Rows as the main road and the console leave them, written straight into the tables so that figures can be counted by hand."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from gateway.models import Decision, Item, Prediction, Referral
from inference.models import ModelVersion
from monitoring.models import KnownTruth
from policies.changes import active_policy
from policies.models import Line
from review.models import Claim, Judgement, Label

_numbers = itertools.count(1)


def item(line: Line, now: datetime, **columns: Any) -> Item:
    """One item that waits for people; `columns` change what is not as wanted."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "policy": active_policy(line),
        "received_at": now - timedelta(minutes=5),
        "source": "camera",
        "external_id": f"SN-{number}",
        "media_digest": f"{number:064x}",
        "media_type": "image/jpeg",
        "media_bytes": 2048,
        "width": 40,
        "height": 30,
        "draw": 0.5,
        "in_audit": False,
        "route": "refer",
        "reason": "shadow",
        "state": "referred",
    }
    return Item.objects.create(line=line, **(values | columns))


def automated(line: Line, now: datetime, answer: str, **columns: Any) -> Item:
    """One item that the model decided alone, with its decision."""
    decided = {"route": "automate", "reason": "confident", "state": "decided", "answer": answer, "decided_by": "model"}
    made = item(line, now, **(decided | {"decided_at": now, "revision": 1} | columns))
    Decision.objects.create(
        item=made,
        number=1,
        answer=answer,
        decided_by="model",
        policy=made.policy,
        reason=made.reason,
        created_at=made.received_at,
    )
    return made


def prediction(of: Item, answer: str, score: float, version: ModelVersion | None, **columns: Any) -> Prediction:
    """What routed the item."""
    values = {"role": "champion", "probabilities": {answer: score}, "created_at": of.received_at, "latency_ms": 12.0}
    return Prediction.objects.create(item=of, answer=answer, score=score, model_version=version, **(values | columns))


def referral(of: Item, now: datetime, **columns: Any) -> Referral:
    """An open request for people to look."""
    values = {"reason": of.reason, "blind": True, "probability": 1.0, "created_at": now - timedelta(minutes=5)}
    return Referral.objects.create(item=of, line=of.line, **(values | columns))


def judgement(asked: Referral, reviewer: User, answer: str, now: datetime, **columns: Any) -> Judgement:
    """A reviewer's answer."""
    claim = Claim.objects.create(
        referral=asked, reviewer=reviewer, claimed_at=now, expires_at=now, ended_at=now, end="answered"
    )
    values = {"active_ms": 2000, "saw_prediction": not asked.blind, "blind": asked.blind, "created_at": now}
    return Judgement.objects.create(
        referral=asked,
        item=asked.item,
        line=asked.line,
        reviewer=reviewer,
        claim=claim,
        answer=answer,
        idempotency_key=f"key-{next(_numbers)}",
        **(values | columns),
    )


def label(of: Item, answer: str, now: datetime, **columns: Any) -> Label:
    """The truth about an item."""
    values = {"source": "judgement", "blind": True, "in_audit": of.in_audit, "inclusion_probability": 1.0, "created_at": now}
    return Label.objects.create(line=of.line, item=of, sequence=next(_numbers), answer=answer, **(values | columns))


def known(of: Item, truth: str) -> KnownTruth:
    """What the demo knows."""
    return KnownTruth.objects.create(item=of, truth=truth, visibility=0.5)
