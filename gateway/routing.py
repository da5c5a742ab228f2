"""The main road: from arrivals at the door to durable decisions and referrals. The unit of work is a batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from gateway import deployments, log_context, media, recording, tasks
from gateway.arrivals import Arrival
from gateway.counting import count_outcomes
from gateway.errors import ExternalIdTaken
from gateway.group_commit import GroupCommit
from gateway.metrics import stage
from gateway.models import Item
from gateway.prepared import Select
from gateway.recording import Outcome, Predicted
from gateway.standing import Standing
from inference import service
from inference.errors import ModelBusy, ModelUnavailable
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
    policy = _known.get(line.pk) or _active_policy(line.pk)
    try:
        with _together.coming():
            with stage("predict"):
                predicted = predict(line, policy, arrivals)
            with stage("store"):
                for arrival in arrivals:
                    media.store(arrival.data, arrival.digest)
        with stage("record"):
            outcomes = _together.record(_Entry(line, policy, arrivals, predicted, source, now, within))
    except IntegrityError:
        # Where writers are not one at a time, another request may have taken an id between look and leap.
        refuse_taken_ids(line, arrivals)
        raise
    tell(line, outcomes)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Entry:
    """A batch that is ready to be recorded."""

    line: Line
    policy: PolicyVersion
    arrivals: Sequence[Arrival]
    predicted: Predicted
    source: str
    now: datetime
    within: Callable[[list[Outcome]], None]


def _record(entries: Sequence[_Entry]) -> list[list[Outcome] | Exception]:
    """Write the batches of several requests inside one transaction: as many statements as there are tables."""
    seen = {entry.line.pk: entry for entry in entries}
    newest = {pk: _kept_policy(seen[pk].line, seen[pk].policy) for pk in sorted(seen)}
    results = [_judged(entry, newest[entry.line.pk]) for entry in entries]
    recording.write([outcome for outcomes in results if isinstance(outcomes, list) for outcome in outcomes])
    for entry, outcomes in zip(entries, results, strict=True):
        if isinstance(outcomes, list):
            entry.within(outcomes)
    return results


def _judged(entry: _Entry, newest: PolicyVersion) -> list[Outcome] | Exception:
    try:
        refuse_taken_ids(entry.line, entry.arrivals)
    except ExternalIdTaken as taken:
        return taken
    policy = _in_force(entry.policy, newest)
    return recording.judged(entry.line, policy, entry.arrivals, entry.predicted, source=entry.source, now=entry.now)


# One a process: SQLite writes one at a time anyway, and elsewhere a commit for many costs little more than one for one.
_together: GroupCommit[_Entry, list[Outcome]] = GroupCommit(_record)


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
    """After the commit: count, and let the challenger, where there is one, say what it would have said."""
    count_outcomes(outcomes)
    log_context.bind(items=[str(outcome.item.pk) for outcome in outcomes])
    tasks.score_with_challenger(line, [outcome.item.pk for outcome in outcomes])


def _in_force(policy: PolicyVersion, newest: PolicyVersion) -> PolicyVersion:
    """Return the policy to record under: the newest, so that lowering automation holds for items already on the road.

    Where the first look said that no model runs and the newest says it does, the first, stricter one still holds.
    """
    return newest if Mode(policy.mode).runs_model or not Mode(newest.mode).runs_model else policy


def _kept_policy(line: Line, known: PolicyVersion) -> PolicyVersion:
    """Return the policy that rules the line until these items are recorded: who changes it waits, and is told after that.

    A policy version never changes, so that the one already `known` is as good as a new look at it.
    """
    keep_policy(line)
    return known if _numbers.column(line.pk) == [known.pk] else _active_policy(line.pk)


def _active_policy(line: int) -> PolicyVersion:
    """Return the policy that rules the line now."""
    policy = _policies.first(line)
    if policy is None:
        raise PolicyVersion.DoesNotExist(f"The line {line} has no policy in force.")
    return policy


_policies = Select(lambda line: PolicyVersion.objects.filter(line_id=line, superseded_at=None).order_by(), -1)
_numbers = Select(lambda line: PolicyVersion.objects.filter(line_id=line, superseded_at=None).order_by().values("pk"), -1)
_known: Standing[int, PolicyVersion] = Standing(_policies.first)
