"""The main road: from arrivals at the door to durable decisions and referrals. The unit of work is a batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from gateway import deployments, log_context, media, recording, tasks
from gateway.arrivals import Arrival
from gateway.company import Company, Ticket, fail_all
from gateway.compiled import Rows, Select, number
from gateway.counting import count_outcomes
from gateway.errors import ExternalIdTaken
from gateway.group_commit import GroupCommit
from gateway.metrics import stage
from gateway.models import Item
from gateway.recording import Outcome, Predicted
from gateway.standing import Standing
from inference import service
from inference.errors import ModelBusy, ModelUnavailable
from policies.locks import keep_policy
from policies.models import Line, PolicyVersion
from policies.modes import Mode

Within = Callable[[list[Outcome]], None]
# Photos that come one by one and go down the road together: with more of them the first would wait for the last.
MOST_TOGETHER = 8

logger = logging.getLogger(__name__)


def route(
    line: Line,
    arrivals: Sequence[Arrival],
    *,
    source: str,
    now: datetime,
    within: Within = lambda outcomes: None,
) -> list[Outcome]:
    """Carry a batch that passed the door down the main road and return what became of each arrival.

    `within` runs in the transaction of the record, so that what it writes stands or falls with the items.
    Raises ExternalIdTaken, and then nothing was written.
    """
    return _told(_alone(_Entry(line, lambda: arrivals, source, now, within)))


def route_one(line: Line, read: Callable[[], Arrival], *, source: str, now: datetime, within: Within) -> list[Outcome]:
    """Carry one item down the road, together with those who come at the same time. `read` decodes it; what it raises is raised.

    Only where the model computes in this process: whoever waits for another machine should not keep others waiting too.
    """
    entry = _Entry(line, lambda: [read()], source, now, within)
    champion = deployments.champion(line)
    waits = champion is not None and not service.is_inline(champion)
    return _told(_alone(entry) if waits else _companies[line.pk].join_all([entry])[0])


@dataclass(slots=True)
class _Entry:
    """What one caller brings."""

    line: Line
    read: Callable[[], Sequence[Arrival]]
    source: str
    now: datetime
    within: Within
    # What it becomes on the way.
    arrivals: Sequence[Arrival] = ()
    policy: PolicyVersion | None = None
    predicted: Predicted | None = None


def _alone(entry: _Entry) -> Ticket[_Entry, list[Outcome]]:
    """Carry what one caller brings, on its own thread."""
    ticket: Ticket[_Entry, list[Outcome]] = Ticket(entry)
    _carry([ticket])
    return ticket


def _carry(tickets: list[Ticket[_Entry, list[Outcome]]]) -> None:
    """The road itself, for callers of one line: a step for all of them, then the next. Each ticket gets its own end."""
    ready = [ticket for ticket in tickets if _read(ticket)]
    if not ready:
        return
    entries = [ticket.entry for ticket in ready]
    try:
        with stage("predict"):
            _predict_all(entries)
        with stage("store"):
            media.store_all([(arrival.data, arrival.digest) for entry in entries for arrival in entry.arrivals])
        with stage("record"):
            recorded = _together.record_all(entries)
    except Exception as error:  # noqa: BLE001 (it belongs to those who wait, of whom this thread is only one)
        fail_all(ready, error)
        return
    for ticket, found in zip(ready, recorded, strict=True):
        if found.error is not None:
            ticket.failed(found.error)
        else:
            ticket.done(found.answer())
    count_outcomes([outcome for ticket in ready for outcome in ticket.result or ()])


def _read(ticket: Ticket[_Entry, list[Outcome]]) -> bool:
    """Whether there is something to carry; who has sent nothing that can be read is told so."""
    try:
        ticket.entry.arrivals = ticket.entry.read()
        # Before anything more is spent on it; the look that counts is the one inside the transaction.
        refuse_taken_ids(ticket.entry.line, ticket.entry.arrivals)
    except Exception as error:  # noqa: BLE001 (it belongs to whoever sent this, and not to those who came at the same time)
        ticket.failed(error)
        return False
    return True


def _predict_all(entries: Sequence[_Entry]) -> None:
    """One look at the policy and one pass for all."""
    line = entries[0].line
    policy = _known.get(line.pk) or _active_policy(line.pk)
    predicted = predict(line, policy, [arrival for entry in entries for arrival in entry.arrivals])
    begin = 0
    for entry in entries:
        end = begin + len(entry.arrivals)
        entry.policy, entry.predicted = policy, replace(predicted, scores=predicted.scores[begin:end])
        begin = end


def _told(ticket: Ticket[_Entry, list[Outcome]]) -> list[Outcome]:
    """Return what became of it, once everybody is told who has to be."""
    line, arrivals = ticket.entry.line, ticket.entry.arrivals
    try:
        outcomes = ticket.answer()
    except IntegrityError:
        # Where writers are not one at a time, another request may have taken an id between look and leap.
        refuse_taken_ids(line, arrivals)
        raise
    tell(line, outcomes)
    return outcomes


def _record(entries: Sequence[_Entry]) -> list[list[Outcome] | Exception]:
    """Write the batches of several requests inside one transaction, with a few statements."""
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
    policy = _in_force(entry.policy or newest, newest)
    predicted = entry.predicted or Predicted([None] * len(entry.arrivals), None, None)
    return recording.judged(entry.line, policy, entry.arrivals, predicted, source=entry.source, now=entry.now)


# One a process: SQLite writes one at a time anyway, and elsewhere a commit for many costs little more than one for one.
_together: GroupCommit[_Entry, list[Outcome]] = GroupCommit(_record)


class _Companies(dict[int, Company[_Entry, list[Outcome]]]):
    """A company a line, by its number: a batch has one policy and one model, and no line waits for another's."""

    def __missing__(self, line: int) -> Company[_Entry, list[Outcome]]:
        return self.setdefault(line, Company(_carry, leaders=settings.MODEL_THREADS, most=MOST_TOGETHER))


_companies = _Companies()


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
    log_context.bind(items=[str(outcome.item.pk) for outcome in outcomes])
    tasks.score_with_challenger(line, [outcome.item.pk for outcome in outcomes])


def _in_force(policy: PolicyVersion, newest: PolicyVersion) -> PolicyVersion:
    """Return the policy to record under: the newest, so that lowering automation holds for items already on the road.

    Where the first look said that no model runs and the newest says it does, the first, stricter one still holds.
    """
    return newest if Mode(policy.mode).runs_model or not Mode(newest.mode).runs_model else policy


def _kept_policy(line: Line, known: PolicyVersion | None) -> PolicyVersion:
    """Return the policy that rules the line until these items are recorded: who changes it waits, and is told after that.

    A policy version never changes, so that the one already `known` is as good as a new look at it.
    """
    keep_policy(line)
    return known if known is not None and _numbers.all(line=line.pk) == [(known.pk,)] else _active_policy(line.pk)


def _active_policy(line: int) -> PolicyVersion:
    """Return the policy that rules the line now."""
    policy = _policies.first(line=line)
    if policy is None:
        raise PolicyVersion.DoesNotExist(f"The line {line} has no policy in force.")
    return policy


_in_force_now = PolicyVersion.objects.filter(line_id=number("line"), superseded_at=None).order_by()
_policies = Select(lambda: _in_force_now.all())
_numbers = Rows(lambda: _in_force_now.values_list("pk"))
_known: Standing[int, PolicyVersion] = Standing(lambda line: _policies.first(line=line))
