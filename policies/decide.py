"""The rule that turns a prediction into a route. Pure: everything it needs is in its arguments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from policies.modes import Mode


class Route(StrEnum):
    """Who decides an item first."""

    AUTOMATE = "automate"
    REFER = "refer"


class Reason(StrEnum):
    """Why an item was decided by the model, or why people are asked to look at it."""

    CONFIDENT = "confident"
    FULL = "full"
    HUMAN_ONLY = "human_only"
    SHADOW = "shadow"
    ASSIST = "assist"
    UNCERTAIN = "uncertain"
    MODEL_UNAVAILABLE = "model_unavailable"
    AUDIT = "audit"
    OVERLAP = "overlap"
    DISAGREEMENT = "disagreement"
    GOLD = "gold"
    APPEAL = "appeal"
    RECALL = "recall"


@dataclass(frozen=True, slots=True)
class Rule:
    """The part of a policy version that routes an item."""

    mode: Mode
    # The least probability at which a class is decided alone in `partial`. A class without a threshold always goes to a person.
    thresholds: Mapping[str, float] = field(default_factory=dict)
    audit_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """A request for people to look at the item."""

    reason: Reason
    # Whether the reviewer must not see what the model said.
    blind: bool
    # The probability with which this item was drawn for people, given its route.
    probability: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule says about an item: its route and why, the answer where automated, the look where people are asked."""

    route: Route
    reason: Reason
    answer: str | None
    look: Look | None
    audit: bool


def draw_for(item_id: UUID, secret: str) -> float:
    """Return the item's draw in [0, 1): the first 53 bits of SHA-256 over the line's secret and the item's id.

    It is fixed before anything is known about the item, cannot be guessed by whoever sends it, and can be computed again.
    """
    digest = hashlib.sha256(secret.encode() + item_id.bytes).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def decide(rule: Rule, probabilities: Mapping[str, float] | None, draw: float) -> Verdict:
    """Return the verdict for one item.

    `probabilities` gives one calibrated probability a class, or is None where no model could say anything. `draw` in [0, 1)
    puts the item into the audit sample when it is below the audit rate, whatever the mode, the scores and the route.
    """
    audit = draw < rule.audit_rate
    if rule.mode is Mode.HUMAN_ONLY:
        return _refer(Reason.HUMAN_ONLY, blind=True, audit=audit)
    if not probabilities:
        return _refer(Reason.MODEL_UNAVAILABLE, blind=True, audit=audit)
    if rule.mode is Mode.SHADOW:
        return _refer(Reason.SHADOW, blind=True, audit=audit)
    if rule.mode is Mode.ASSIST:
        return _refer(Reason.AUDIT if audit else Reason.ASSIST, blind=audit, audit=audit)

    # Ties go to the first class named, which makes the choice reproducible.
    answer = max(probabilities, key=probabilities.__getitem__)
    if rule.mode is Mode.PARTIAL and probabilities[answer] < rule.thresholds.get(answer, 2.0):
        return _refer(Reason.AUDIT if audit else Reason.UNCERTAIN, blind=audit, audit=audit)
    return Verdict(
        route=Route.AUTOMATE,
        reason=Reason.FULL if rule.mode is Mode.FULL else Reason.CONFIDENT,
        answer=answer,
        look=Look(Reason.AUDIT, blind=True, probability=rule.audit_rate) if audit else None,
        audit=audit,
    )


def _refer(reason: Reason, *, blind: bool, audit: bool) -> Verdict:
    """Refer an item that people see whatever the draw, hence with probability 1."""
    return Verdict(Route.REFER, reason, answer=None, look=Look(reason, blind=blind, probability=1.0), audit=audit)
