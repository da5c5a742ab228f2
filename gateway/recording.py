"""The record step: a whole batch in a statement a table, or a few where it is large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gateway.arrivals import Arrival
from gateway.events import event
from gateway.ids import uuid7
from gateway.lifecycle import new_referral
from gateway.metrics import stage
from gateway.models import DecidedBy, Decision, Event, Item, ItemState, Prediction, Referral, Role
from gateway.prepared import Insert, New
from inference.models import ModelVersion
from inference.predictions import Scores, top
from policies.decide import Look, Verdict, decide, draw_for
from policies.models import Line, PolicyVersion

_items, _predictions, _decisions = Insert(Item), Insert(Prediction), Insert(Decision)
_referrals, _events = Insert(Referral), Insert(Event)
_item, _prediction, _made_decision = New(Item), New(Prediction), New(Decision)


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is known about a batch after the predict step: scores for each arrival or None, by which model, how fast."""

    scores: Sequence[Scores | None]
    model_version: ModelVersion | None
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recorded item with what was said about it."""

    item: Item
    prediction: Prediction | None
    model_version: ModelVersion | None
    verdict: Verdict


def record(
    line: Line, policy: PolicyVersion, arrivals: Sequence[Arrival], predicted: Predicted, *, source: str, now: datetime
) -> list[Outcome]:
    """Write a batch inside the caller's transaction and return what was written, in the order of arrival."""
    outcomes = judged(line, policy, arrivals, predicted, source=source, now=now)
    write(outcomes)
    return outcomes


def judged(
    line: Line, policy: PolicyVersion, arrivals: Sequence[Arrival], predicted: Predicted, *, source: str, now: datetime
) -> list[Outcome]:
    """Return what the policy makes of a batch, in the order of arrival. Nothing is written yet."""
    with stage("decide"):
        return [
            _outcome(line, policy, arrival, scores, predicted, source=source, now=now)
            for arrival, scores in zip(arrivals, predicted.scores, strict=True)
        ]


def write(outcomes: Sequence[Outcome]) -> None:
    """Write outcomes of any lines inside the caller's transaction."""
    # In the order of their ids: of two batches that bring the same ones, one waits for the other, and not each for the other.
    _items.all(sorted((outcome.item for outcome in outcomes), key=lambda item: item.unique_external_id or ""))
    _predictions.all(outcome.prediction for outcome in outcomes if outcome.prediction is not None)
    _decisions.all(_decision(outcome) for outcome in outcomes if outcome.verdict.answer is not None)
    _referrals.all(_referral(outcome, outcome.verdict.look) for outcome in outcomes if outcome.verdict.look is not None)
    _events.all(_event(outcome) for outcome in outcomes)


def prediction_row(
    item: Item, scores: Scores, *, role: Role, model_version: ModelVersion | None, latency_ms: float | None, now: datetime
) -> Prediction:
    """Return the unsaved row that keeps `scores`."""
    answer, score = top(scores)
    heatmap = scores.heatmap
    return _prediction(
        item=item,
        role=role,
        model_version=model_version,
        answer=answer,
        score=score,
        probabilities=scores.probabilities,
        regions=[asdict(region) for region in scores.regions],
        heatmap_rows=heatmap.rows if heatmap else 0,
        heatmap_columns=heatmap.columns if heatmap else 0,
        heatmap=heatmap.values if heatmap else None,
        latency_ms=latency_ms,
        created_at=now,
    )


def _outcome(
    line: Line,
    policy: PolicyVersion,
    arrival: Arrival,
    scores: Scores | None,
    predicted: Predicted,
    *,
    source: str,
    now: datetime,
) -> Outcome:
    item_id = uuid7()
    draw = draw_for(item_id, line.secret)
    verdict = decide(policy.rule, scores.probabilities if scores else None, draw)
    decided = verdict.answer is not None
    item = _item(
        id=item_id,
        line=line,
        policy=policy,
        received_at=now,
        source=source[:100],
        draw=draw,
        in_audit=verdict.audit,
        route=verdict.route.value,
        reason=verdict.reason.value,
        state=ItemState.DECIDED if decided else ItemState.REFERRED,
        answer=verdict.answer or "",
        decided_by=DecidedBy.MODEL if decided else "",
        decided_at=now if decided else None,
        revision=1 if decided else 0,
        **_columns(line, arrival),
    )
    brought = arrival.scores is not None
    model_version = None if brought or scores is None else predicted.model_version
    prediction = None
    if scores is not None:
        latency = None if brought else predicted.latency_ms
        prediction = prediction_row(item, scores, role=Role.CHAMPION, model_version=model_version, latency_ms=latency, now=now)
    return Outcome(item, prediction, model_version, verdict)


def _columns(line: Line, arrival: Arrival) -> dict[str, Any]:
    """Return what the item has from its arrival alone."""
    decoded = arrival.decoded
    return {
        "external_id": arrival.external_id,
        "unique_external_id": (arrival.external_id or None) if line.unique_external_ids else None,
        "metadata": arrival.metadata,
        "media_digest": arrival.digest,
        "media_type": decoded.media_type,
        "media_bytes": len(arrival.data),
        "width": decoded.width,
        "height": decoded.height,
        "brightness": decoded.stats.get("brightness"),
        "contrast": decoded.stats.get("contrast"),
        "sharpness": decoded.stats.get("sharpness"),
        "consent": arrival.consent,
    }


def _referral(outcome: Outcome, look: Look) -> Referral:
    item = outcome.item
    return new_referral(item, item.policy, look.reason, blind=look.blind, probability=look.probability, now=item.received_at)


def _decision(outcome: Outcome) -> Decision:
    item = outcome.item
    return _made_decision(
        item=item,
        number=1,
        answer=item.answer,
        decided_by=DecidedBy.MODEL,
        policy=item.policy,
        model_version=outcome.model_version,
        reason=item.reason,
        created_at=item.received_at,
    )


def _event(outcome: Outcome) -> Event:
    item, verdict = outcome.item, outcome.verdict
    model = outcome.model_version.name if outcome.model_version else "brought by the caller"
    data: dict[str, object] = {"policy": item.policy.number, "audit": verdict.audit, "source": item.source}
    if outcome.prediction is not None:
        data["model"] = model
    return event(
        f"item.{item.state}",
        item=item,
        actor=f"model:{model}" if verdict.answer else f"policy:v{item.policy.number}",
        now=item.received_at,
        from_state="received",
        to_state=verdict.answer or item.state,
        reason=verdict.reason.value,
        data=data,
    )
