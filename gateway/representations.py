"""How an item looks to a machine."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet

from gateway.models import ApiToken, Item, Prediction, Role
from gateway.recording import Outcome
from inference.models import ModelVersion


def with_predictions(items: QuerySet[Item]) -> QuerySet[Item]:
    """Fetch with the items what `item_json` needs: two queries whatever their number."""
    routing = Prediction.objects.filter(role=Role.CHAMPION).select_related("model_version")
    routing = routing.defer("heatmap", "model_version__card", "model_version__metrics")
    return items.select_related("line", "policy").prefetch_related(
        Prefetch("predictions", queryset=routing, to_attr="routing_predictions")
    )


def item_json(item: Item, token: ApiToken) -> dict[str, Any]:
    """Return an item that came from `with_predictions`."""
    found: list[Prediction] = item.routing_predictions  # type: ignore[attr-defined]
    prediction = found[0] if found else None
    return _json(item, prediction, prediction.model_version if prediction else None, token)


def outcome_json(outcome: Outcome, token: ApiToken) -> dict[str, Any]:
    """Return an item that was recorded just now, without asking the database again."""
    return _json(outcome.item, outcome.prediction, outcome.model_version, token)


def _json(item: Item, prediction: Prediction | None, model: ModelVersion | None, token: ApiToken) -> dict[str, Any]:
    body = {
        "id": str(item.pk),
        "line": item.line.slug,
        "external_id": item.external_id,
        "metadata": item.metadata,
        "consent": item.consent,
        "status": item.state,
        "decision": item.answer or None,
        "decided_by": item.decided_by or None,
        "decided_at": item.decided_at.isoformat() if item.decided_at else None,
        "revision": item.revision,
        "route": item.route,
        "reason": item.reason,
        "policy_version": item.policy.number,
        "mode": item.policy.mode,
        "model_version": _model_name(prediction, model),
        "received_at": item.received_at.isoformat(),
        "photo": {
            "sha256": item.media_digest,
            "media_type": item.media_type,
            "bytes": item.media_bytes,
            "width": item.width,
            "height": item.height,
            "deleted_at": item.photo_deleted_at.isoformat() if item.photo_deleted_at else None,
        },
    }
    # The prediction is left out, not null, for a token that must not see it.
    if "predictions:read" in token.scopes:
        body["prediction"] = _prediction_json(prediction)
    return body


def _model_name(prediction: Prediction | None, model: ModelVersion | None) -> str | None:
    if prediction is None:
        return None
    return model.name if model is not None else "caller"


def _prediction_json(prediction: Prediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    return {
        "answer": prediction.answer,
        "probabilities": prediction.probabilities,
        "regions": prediction.regions,
        "latency_ms": prediction.latency_ms,
    }
