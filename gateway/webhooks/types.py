"""The events that other systems can be told of, and which of our own events each comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """One type of message. `kinds` are kinds of `gateway.models.Event`."""

    words: str
    kinds: tuple[str, ...]


TYPES = {
    "item.decided": Type("An item got its first answer", ("item.decided",)),
    "item.referred": Type(
        "An item went to people, on arrival, again, or for another look", ("item.referred", "item.reopened", "referral.opened")
    ),
    "item.held": Type("Nobody decided in time, and the item waits", ("item.held",)),
    "item.judged": Type("An inspector answered, or changed the answer", ("judgement.given", "judgement.revised")),
    "item.superseded": Type("Another answer took the place of the one that counted", ("decision.superseded",)),
    "policy.changed": Type("Another policy is in force", ("policy.changed",)),
    "guardrail.alarm": Type("A guardrail went off", ("guardrail.alarm",)),
    "dataset.ready": Type("A dataset version was frozen", ("dataset.frozen",)),
    "model.promoted": Type("A model became champion", ("model.champion",)),
}
# Sent by a button of the endpoint's page, whatever it subscribed to.
TEST = "webhook.test"
TYPE_OF = {kind: name for name, one in TYPES.items() for kind in one.kinds}


def kinds_of(types: list[str]) -> list[str]:
    """Return the kinds of events that these types come from."""
    return [kind for name in types if name in TYPES for kind in TYPES[name].kinds]
