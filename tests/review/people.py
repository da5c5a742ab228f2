"""What the tests of this folder do again and again: items arrive, somebody claims, somebody answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from gateway import media, recording
from gateway.arrivals import Arrival
from gateway.limits import photo_limits
from gateway.models import Item, Referral, ReferralState
from gateway.recording import Predicted
from inference import kinds
from inference.kinds.base import Decoded
from inference.predictions import Scores
from policies.changes import active_policy
from policies.models import Line
from review import claims, judging
from review.answers import Answer
from review.models import Claim, Judgement
from tests.conftest import photo

_numbers = count(1)


@lru_cache(maxsize=1)
def decoded() -> Decoded:
    """A photo that was looked at once; the tests of this folder do not look at pixels."""
    return kinds.get("inspection").decode(photo(), limits=photo_limits())


def arrive(
    line: Line, number: int = 1, *, now: datetime, says: dict[str, float] | None = None, names: Sequence[str] = (), **more: Any
) -> list[Item]:
    """Let photos come down the main road behind the door. `says` is a prediction that the caller brought."""
    scores = Scores(says) if says else None
    ids = names or [f"unit-{next(_numbers)}" for _ in range(number)]
    arrivals = [Arrival(f"photo {next(_numbers)}".encode(), decoded(), name, more.get("metadata", {}), scores) for name in ids]
    if more.get("stored"):
        for one in arrivals:
            media.store(one.data)
    with transaction.atomic():
        predicted = Predicted([scores] * len(arrivals), None, None)
        return [one.item for one in recording.record(line, active_policy(line), arrivals, predicted, source="camera", now=now)]


def take(line: Line, who: User, now: datetime) -> Claim:
    """Claim the next referral, which there has to be."""
    (claim,) = claims.take(line, who, want=1, now=now)
    return claim


def say(who: User, claim: Claim, key: str, now: datetime, *, name: str = "", **answer: Any) -> Judgement:
    """Answer under a claim, with an idempotency key of its own."""
    return judging.judge(who, claim.pk, Answer(key, **answer), idempotency_key=name or f"key-{next(_numbers)}", now=now)


def judge(line: Line, who: User, key: str, now: datetime, **answer: Any) -> Judgement:
    """Claim what comes next and answer it."""
    return say(who, take(line, who, now), key, now, **answer)


def change(who: User, old: Judgement, key: str, now: datetime, *, name: str = "", **answer: Any) -> Judgement:
    """Replace an answer, with an idempotency key of its own."""
    return judging.revise(who, old.pk, Answer(key, **answer), idempotency_key=name or f"key-{next(_numbers)}", now=now)


def open_reasons(item: Item) -> list[str]:
    """Why people are asked about the item now."""
    return sorted(Referral.objects.filter(item=item, state=ReferralState.OPEN).values_list("reason", flat=True))


def fresh(item: Item) -> Item:
    """The item as it stands now."""
    return Item.objects.get(pk=item.pk)
