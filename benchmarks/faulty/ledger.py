"""What cameras and inspectors were told, held against what the database says afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from gateway import media
from gateway.models import Decision, Item, Referral, ReferralState
from review.models import Claim, Judgement


@dataclass
class Ledger:
    """Everything that was acknowledged; the threads of the town write it together."""

    # External id of each photo that was sent, and the id that its camera was told.
    sent: set[str] = field(default_factory=set)
    items: dict[str, str] = field(default_factory=dict)
    # Numbers of judgements that inspectors were told, each with the answer.
    judgements: dict[int, str] = field(default_factory=dict)
    # Answers that made no sense: another id for the same photo, a status that nothing explains.
    strange: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def item(self, key: str, number: str) -> None:
        """Note an acknowledged item; a second id for the same photo is an item taken twice."""
        with self.changed:
            if self.items.setdefault(key, number) != number:
                self.strange.append(f"{key} became {self.items[key]} and {number}")
            self.changed.notify_all()

    def judgement(self, number: int, answer: str) -> None:
        """Note an acknowledged judgement."""
        with self.changed:
            self.judgements[number] = answer
            self.changed.notify_all()

    def progress(self) -> tuple[int, int]:
        """Return how many items and judgements were acknowledged so far."""
        return len(self.items), len(self.judgements)

    def await_progress(self, since: tuple[int, int], items: int, judgements: int, timeout: float) -> bool:
        """Wait until so many more of both were acknowledged."""
        wanted = (since[0] + items, since[1] + judgements)
        with self.changed:
            return self.changed.wait_for(lambda: len(self.items) >= wanted[0] and len(self.judgements) >= wanted[1], timeout)


def lost(ledger: Ledger) -> list[str]:
    """Return what was acknowledged and is not there: items, their photos, judgements."""
    rows = {str(pk): (key, digest) for pk, key, digest in Item.objects.values_list("pk", "external_id", "media_digest")}
    gone = [f"item {key}" for key, number in ledger.items.items() if rows.get(number, ("",))[0] != key]
    gone += [f"photo of {key}" for key, digest in rows.values() if not media.path_of(digest).exists()]
    there = dict(Judgement.objects.values_list("pk", "answer"))
    return gone + [f"judgement {pk}" for pk, answer in ledger.judgements.items() if there.get(pk) != answer]


def twice(ledger: Ledger) -> list[str]:
    """Return what is there more than once: photos, first decisions, judgements of one claim."""
    photos = Item.objects.values("external_id").annotate(n=Count("pk")).filter(n__gt=1)
    decided = Decision.objects.values("item", "number").annotate(n=Count("pk")).filter(n__gt=1)
    judged = Judgement.objects.values("claim").annotate(n=Count("pk")).filter(n__gt=1, claim__isnull=False)
    found: list[dict[str, Any]] = [*photos, *decided, *judged]
    return ledger.strange + [str(row) for row in found]


def stuck() -> list[str]:
    """Return referrals that are open after everybody has gone home with an empty queue."""
    waiting = Referral.objects.filter(state=ReferralState.OPEN).values_list("pk", "reason")
    held = Counter(Claim.objects.filter(ended_at=None).values_list("referral", flat=True))
    return [f"referral {pk} ({reason}), {'claimed' if held[pk] else 'free'}" for pk, reason in waiting]
