"""The main road: from arrivals at the door to durable decisions and referrals. The unit of work is a batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from gateway import deployments, media, recording, tasks
from gateway.arrivals import Arrival
from gateway.errors import ExternalIdTaken
from gateway.models import Item
from gateway.recording import Outcome, Predicted
from inference import service
from inference.errors import ModelBusy, ModelUnavailable
from policies.changes import active_policy
from policies.locks import keep_policy
from policies.models import Line, PolicyVersion
from policies.modes import Mode

logger = logging.getLogger(__name__)


def route(
    line: Line,
    arrivals: Sequence[Arrival],
    *,
    source: str,
    now: datetime,
    within: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> list[Outcome]:
    """Carry a batch that passed the door down the main road and return what became of each arrival.

    `within` runs in the transaction of the record, so that what it writes stands or falls with the items.
    Raises ExternalIdTaken, and then nothing was written.
    """
    # Before anything is spent on it; the look that counts is the one inside the transaction.
    refuse_taken_ids(line, arrivals)
    policy = active_policy(line)
    predicted = predict(line, policy, arrivals)
    for arrival in arrivals:
        media.store(arrival.data)
    try:
        with transaction.atomic():
            refuse_taken_ids(line, arrivals)
            outcomes = recording.record(line, _in_force(line, policy), arrivals, predicted, source=source, now=now)
            within(outcomes)
    except IntegrityError:
        # Where writers are not one at a time, another request may have taken an id between look and leap.
        refuse_taken_ids(line, arrivals)
        raise
    tell(line, outcomes)
    return outcomes


def predict(line: Line, policy: PolicyVersion, arrivals: Sequence[Arrival]) -> Predicted:
    """Score what did not bring a prediction, in one pass. Whatever goes wrong with the model, the items go to people."""
    scores = [arrival.scores for arrival in arrivals]
    asked = [index for index, score in enumerate(scores) if score is None]
    if not asked or not Mode(policy.mode).runs_model:
        return Predicted(scores, None, None)
    champion = deployments.champion(line)
    if champion is None:
        return Predicted(scores, None, None)
    try:
        said, latency_ms = service.predict(
            champion, [arrivals[index].decoded for index in asked], timeout=settings.MODEL_TIMEOUT_SECONDS
        )
    except ModelBusy:
        # Too much waits already: the camera is told to come again, and nothing is made of its photos meanwhile.
        raise
    except ModelUnavailable as error:
        logger.warning("line %s: %s gave no answer, %d items go to people: %s", line.slug, champion.name, len(asked), error)
        return Predicted(scores, None, None)
    for index, answer in zip(asked, said, strict=True):
        scores[index] = answer
    return Predicted(scores, champion, latency_ms)


def refuse_taken_ids(line: Line, arrivals: Sequence[Arrival]) -> None:
    """Raise ExternalIdTaken where the line takes an id once and has it, or the batch brings it twice."""
    taken = taken_ids(line, arrivals)
    if taken:
        raise ExternalIdTaken(f"The line takes each external id once, and has {', '.join(sorted(taken)[:5])}.")


def taken_ids(line: Line, arrivals: Sequence[Arrival]) -> set[str]:
    """Return the ids that the line, which takes each once, has already or gets twice in this batch."""
    if not line.unique_external_ids:
        return set()
    ids = [arrival.external_id for arrival in arrivals if arrival.external_id]
    # By the id itself: what came before the line wanted each only once, and what was imported, counts too.
    taken = set(Item.objects.filter(line=line, external_id__in=ids).values_list("external_id", flat=True))
    return taken | {one for one in ids if ids.count(one) > 1}


def tell(line: Line, outcomes: Sequence[Outcome]) -> None:
    """After the commit: let the challenger, where there is one, say what it would have said."""
    tasks.score_with_challenger(line, [outcome.item.pk for outcome in outcomes])


def _in_force(line: Line, policy: PolicyVersion) -> PolicyVersion:
    """Return the policy to record under: the newest, so that lowering automation holds for items already on the road.

    It stays in force until they are recorded: a change of the policy waits for that, and whoever made it is told after it.

    Where the first look said that no model runs and the newest says it does, the first, stricter one still holds.
    """
    keep_policy(line)
    newest = active_policy(line)
    return newest if Mode(policy.mode).runs_model or not Mode(newest.mode).runs_model else policy
