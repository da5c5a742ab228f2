"""Why an item went where it went, in sentences made from the stored facts of its moment."""

from __future__ import annotations

from typing import Any

from gateway.models import Item, Prediction
from policies.decide import Reason
from policies.modes import NOTCHES, Mode

TITLES = {notch.mode: notch.title for notch in NOTCHES}


def explain(item: Item, prediction: Prediction | None) -> dict[str, Any]:
    """Return the facts behind the route and the sentences that a person reads.

    `item` comes with its policy, `prediction` is the one that routed it, or None where no model spoke.
    """
    policy = item.policy
    threshold = policy.thresholds.get(prediction.answer) if prediction else None
    return {
        "item": str(item.pk),
        "route": item.route,
        "reason": item.reason,
        "policy_version": policy.number,
        "mode": policy.mode,
        "thresholds": policy.thresholds,
        "audit_rate": policy.audit_rate,
        "draw": item.draw,
        "in_audit": item.in_audit,
        "model_version": _model(prediction),
        "answer": prediction.answer if prediction else None,
        "score": prediction.score if prediction else None,
        "threshold": threshold,
        "probabilities": prediction.probabilities if prediction else None,
        "sentences": sentences(item, prediction),
    }


def sentences(item: Item, prediction: Prediction | None) -> list[str]:
    """Return the story of the routing, the policy first, then the model, then the draw."""
    policy = item.policy
    lines = [f"Policy version {policy.number} was in force: {TITLES[Mode(policy.mode)]}."]
    lines.append(_why(item, prediction))
    drawn = "below" if item.in_audit else "not below"
    lines.append(
        f"The item's draw was {item.draw:.4f}, {drawn} the audit rate of {policy.audit_rate:.4g}: "
        + ("it is in the audit sample and judged without sight of the prediction." if item.in_audit else "it is not audited.")
    )
    return lines


def _why(item: Item, prediction: Prediction | None) -> str:
    match Reason(item.reason):
        case Reason.HUMAN_ONLY:
            return "The model does not run in this mode; a person decides everything."
        case Reason.MODEL_UNAVAILABLE:
            return "No model gave an answer in time, so a person decides."
        case Reason.SHADOW:
            return "The model's answer was recorded and shown to nobody; a person decides everything."
        case Reason.AUDIT if item.policy.mode == Mode.ASSIST:
            return "A person decides everything in this mode, and this item without sight of the model's findings."
        case Reason.ASSIST:
            return "A person decides everything in this mode, with the model's findings shown."
        case _ if prediction is None:
            return "It was labelled before it came here."
        case _:
            return _scored(item, prediction)


def _scored(item: Item, prediction: Prediction) -> str:
    found = f"{_model(prediction)} said {prediction.answer} with probability {prediction.score:.3f}"
    threshold = item.policy.thresholds.get(prediction.answer)
    if item.reason == Reason.FULL:
        return f"{found}, and in this mode the model decides everything."
    if threshold is None:
        return f"{found}; the class {prediction.answer} has no threshold, so a person decides."
    if item.reason == Reason.CONFIDENT:
        return f"{found}, which reaches that class's threshold of {threshold:.3f}: the model decided alone."
    if prediction.score >= threshold:
        return f"{found}, which reaches the threshold of {threshold:.3f}; a person decides it all the same."
    return f"{found}, short of that class's threshold of {threshold:.3f}, so a person decides."


def _model(prediction: Prediction | None) -> str | None:
    if prediction is None:
        return None
    return prediction.model_version.name if prediction.model_version else "The caller's own model"
