"""Audited items by the hundred, straight into the tables: a model that is mostly right, and knows when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from gateway.ids import uuid7
from gateway.models import Item, Prediction
from inference.models import ModelVersion
from policies.changes import active_policy
from policies.models import Line
from review.labels import next_sequences
from review.models import Label


def scored(n: int, seed: int = 1, defects: float = 0.1) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return truths [n] and probabilities [n, 3] of ok, scratch, dent; the model is the less sure the more often it errs."""
    rng = np.random.default_rng(seed)
    truths = np.where(rng.random(n) < defects, rng.integers(1, 3, n), 0)
    sure = 1 - 0.6 * rng.random(n) ** 3
    wrong = rng.random(n) < 0.6 * (1 - sure)
    said = np.where(wrong, (truths + rng.integers(1, 3, n)) % 3, truths)
    probabilities = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(n), said] = sure
    return truths, probabilities


def audit(
    line: Line,
    by: ModelVersion,
    now: datetime,
    truths: Sequence[int] | NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    role: str = "champion",
    labelled: bool = True,
) -> list[Item]:
    """Write items of the audit sample with what `by` said; without labels, items of the stream that were not drawn."""
    classes = [entry.key for entry in line.classes.order_by("position")]
    policy = active_policy(line)
    said = probabilities.argmax(axis=1)
    items = [
        Item(
            id=uuid7(),
            line=line,
            policy=policy,
            received_at=now - timedelta(minutes=len(said) - place),
            source="camera",
            media_digest=f"{place:064x}",
            media_type="image/jpeg",
            media_bytes=1,
            width=1,
            height=1,
            draw=0.01 if labelled else 0.9,
            in_audit=labelled,
            route="automate",
            reason="confident",
            state="decided",
            answer=classes[answer],
            decided_by="model",
        )
        for place, answer in enumerate(said)
    ]
    Item.objects.bulk_create(items)
    Prediction.objects.bulk_create(
        Prediction(
            item=item,
            role=role,
            model_version=by,
            answer=item.answer,
            score=max(row),
            probabilities=dict(zip(classes, row, strict=True)),
            created_at=item.received_at,
        )
        for item, row in zip(items, probabilities.tolist(), strict=True)
    )
    if labelled:
        label(line, items, [classes[truth] for truth in truths], now)
    return items


def label(line: Line, items: Sequence[Item], answers: Sequence[str], now: datetime) -> None:
    """Write the blind labels of items, at the end of the line's feed."""
    places = next_sequences(line.pk, len(items))
    Label.objects.bulk_create(
        Label(
            line=line,
            item=item,
            sequence=place,
            answer=answer,
            source="judgement",
            blind=True,
            in_audit=item.in_audit,
            created_at=now,
        )
        for place, item, answer in zip(places, items, answers, strict=True)
    )
