"""The one home of a judgement: console, API and tests all give their answers here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway import lifecycle
from gateway.errors import BadField, KeyReused
from gateway.events import actor_of, event
from gateway.models import DecidedBy, Decision, Event, ItemState, Referral, ReferralState
from policies.decide import Reason
from policies.models import Line
from review import claims
from review.consolidation import Consensus, Standing, consolidate
from review.errors import ClaimLost, NotRevisable
from review.labels import append_label, inclusion_probability, withdraw_label
from review.models import ClaimEnd, Judgement

# How far back a reviewer may undo.
LAST = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says about an item; an empty class key is unsure."""

    key: str
    regions: list[dict[str, Any]] = field(default_factory=list)
    comment: str = ""
    active_ms: int = 0


def judge(reviewer: User, claim_id: int, answer: Answer, *, idempotency_key: str, now: datetime) -> Judgement:
    """Give the answer under a claim. The same key again returns the first judgement; a lost claim is ClaimLost."""
    return _once(
        lambda: _known(reviewer, idempotency_key, answer, claim_id=claim_id, supersedes_id=None),
        lambda: _judge(reviewer, claim_id, answer, idempotency_key, now),
    )


def revise(reviewer: User, judgement_id: int, answer: Answer, *, idempotency_key: str, now: datetime) -> Judgement:
    """Replace one of the reviewer's last answers. The old one stays as superseded."""
    return _once(
        lambda: _known(reviewer, idempotency_key, answer, supersedes_id=judgement_id),
        lambda: _revise(reviewer, judgement_id, answer, idempotency_key, now),
    )


def last_judgements(reviewer: User, line: Line) -> list[Judgement]:
    """Return the reviewer's last ten standing answers on the line, newest first."""
    standing = Judgement.objects.filter(reviewer=reviewer, line=line, superseded_by=None)
    return list(standing.select_related("item", "referral").order_by("-id")[:LAST])


def check_answer(line: Line, answer: Answer) -> None:
    """Raise BadField where the answer names a class that the line does not have."""
    keys = set(line.classes.values_list("key", flat=True))
    named = ({answer.key} - {Judgement.UNSURE}) | {str(region.get("label")) for region in answer.regions}
    unknown = sorted(named - keys)
    if unknown:
        raise BadField(f"The line has no class {', '.join(map(repr, unknown))}.")


@transaction.atomic
def _judge(reviewer: User, claim_id: int, answer: Answer, idempotency_key: str, now: datetime) -> Judgement:
    claim = claims.end(claim_id, reviewer, ClaimEnd.ANSWERED, now=now)
    referral = _locked(claim.referral_id)
    if referral.state != ReferralState.OPEN:
        raise ClaimLost("The question was settled meanwhile; your answer was not counted.")
    check_answer(referral.line, answer)
    judgement = Judgement.objects.create(
        referral=referral,
        item=referral.item,
        line=referral.line,
        reviewer=reviewer,
        claim=claim,
        answer=answer.key,
        regions=answer.regions,
        comment=answer.comment,
        active_ms=answer.active_ms,
        saw_prediction=claim.revealed_at is not None,
        blind=claims.reveal_of(referral) == "never",
        idempotency_key=idempotency_key,
        created_at=now,
    )
    _leave_event("judgement.given", judgement, now)
    _apply(referral, judgement, _consensus(referral), now, settled=False)
    return judgement


@transaction.atomic
def _revise(reviewer: User, judgement_id: int, answer: Answer, idempotency_key: str, now: datetime) -> Judgement:
    old = Judgement.objects.select_related("line").filter(pk=judgement_id, reviewer=reviewer).first()
    if old is None:
        raise NotRevisable("This is not an answer of yours.")
    # The lock comes before the look: two tabs that revise the same answer go one after the other.
    referral = _locked(old.referral_id)
    _check_revisable(reviewer, old, now)
    check_answer(old.line, answer)
    settled = _consensus(referral).standing is Standing.AGREED
    judgement = Judgement.objects.create(
        referral=referral,
        item=referral.item,
        line=old.line,
        reviewer=reviewer,
        claim_id=old.claim_id,
        answer=answer.key,
        regions=answer.regions,
        comment=answer.comment,
        active_ms=answer.active_ms,
        saw_prediction=old.saw_prediction,
        blind=old.blind,
        idempotency_key=idempotency_key,
        supersedes=old,
        created_at=now,
    )
    _leave_event("judgement.revised", judgement, now, was=old.answer)
    _take_back(referral, actor_of(reviewer), now)
    _apply(referral, judgement, _consensus(referral), now, settled=settled)
    return judgement


def _check_revisable(reviewer: User, old: Judgement, now: datetime) -> None:
    if old.pk not in {one.pk for one in last_judgements(reviewer, old.line)}:
        raise NotRevisable(f"Only your last {LAST} answers can be changed, each once at a time.")
    if old.created_at < now - timedelta(minutes=settings.REVISE_MINUTES):
        raise NotRevisable(f"An answer can be changed for {settings.REVISE_MINUTES} minutes.")
    others = Judgement.objects.filter(item=old.item_id, pk__gt=old.pk).exclude(reviewer=reviewer)
    if others.exclude(referral=old.referral_id).exists():
        raise NotRevisable("Somebody else has judged this item since.")
    asked_again = Referral.objects.filter(item=old.item_id, reason=old.referral.reason, state=ReferralState.OPEN)
    if asked_again.exclude(pk=old.referral_id).exists():
        raise NotRevisable("People were asked about this item again since.")


def _consensus(referral: Referral) -> Consensus:
    answers = Judgement.objects.filter(referral=referral, superseded_by=None).values_list("answer", flat=True)
    return consolidate(list(answers), referral.wanted)


def _apply(referral: Referral, judgement: Judgement, consensus: Consensus, now: datetime, *, settled: bool) -> None:
    """Let the item, its referral and its label follow from where the judgements stand; `settled`: they had agreed before."""
    if settled and consensus.standing is not Standing.AGREED:
        _unsettle(referral, judgement, now)
    match consensus.standing:
        case Standing.DISAGREED:
            lifecycle.close_referral(referral, actor=actor_of(judgement.reviewer), now=now)
            _ask_a_third(referral, now)
        case Standing.AGREED:
            _agree(referral, judgement, consensus.answer or "", now)


def _unsettle(referral: Referral, judgement: Judgement, now: datetime) -> None:
    """Take back what the judgements had settled: the label always, the decision where it was theirs and not only confirmed."""
    item = referral.item
    withdraw_label(item, now=now)
    standing = Decision.objects.filter(item=item).order_by("-number").first()
    theirs = (
        standing is not None
        and standing.decided_by == DecidedBy.PERSON
        and standing.reason == referral.reason
        and standing.created_at >= referral.created_at
    )
    if theirs:
        lifecycle.take_back(item.pk, user=judgement.reviewer, reason="the answer was taken back", now=now)


def _agree(referral: Referral, judgement: Judgement, answer: str, now: datetime) -> None:
    reviewer = judgement.reviewer
    lifecycle.close_referral(referral, actor=actor_of(reviewer), now=now)
    if _contradicts(referral, reviewer, answer):
        _ask_a_third(referral, now)
        return
    lifecycle.settle(referral.item_id, answer, user=reviewer, reason=Reason(referral.reason), now=now)
    judged = Judgement.objects.filter(referral=referral, superseded_by=None).exclude(answer=Judgement.UNSURE)
    # Who might have seen the prediction, in the console or on the item's page, counts as having seen it.
    append_label(
        referral.item,
        answer,
        regions=judgement.regions,
        blind=all(one.blind and not one.saw_prediction for one in judged),
        seen=any(one.saw_prediction for one in judged),
        inclusion_probability=inclusion_probability(referral.item, referral.reason),
        now=now,
    )


def _contradicts(referral: Referral, reviewer: User, answer: str) -> bool:
    """Return whether somebody else decided otherwise while this question was open already: two people, two answers.

    An older decision is what an appeal or a recall is there to overrule, and who settles a disagreement has the last word.
    """
    standing = Decision.objects.filter(item=referral.item_id).order_by("-number").first()
    return (
        referral.reason != Reason.DISAGREEMENT
        and referral.item.state == ItemState.DECIDED
        and standing is not None
        and standing.decided_by == DecidedBy.PERSON
        and standing.user_id != reviewer.pk
        and standing.answer != answer
        and standing.created_at > referral.created_at
    )


def _ask_a_third(referral: Referral, now: datetime) -> None:
    asked = Referral.objects.filter(item=referral.item_id, reason=Reason.DISAGREEMENT.value, state=ReferralState.OPEN)
    if not asked.exists():
        lifecycle.refer(referral.item, Reason.DISAGREEMENT, blind=True, actor="system:consolidation", now=now)


def _locked(referral_id: int) -> Referral:
    """Return the referral with its item, both locked; not the line and the policy, which every post and judgement needs."""
    locked = Referral.objects.select_for_update(of=("self", "item"), no_key=True)
    return locked.select_related("item__policy", "line").get(pk=referral_id)


def _take_back(referral: Referral, actor: str, now: datetime) -> None:
    """Undo what the old answer had settled, so that the new one is applied to an open question."""
    open_disagreements = Referral.objects.filter(
        item=referral.item_id, reason=Reason.DISAGREEMENT.value, state=ReferralState.OPEN
    )
    for disagreement in open_disagreements.exclude(pk=referral.pk).select_related("item"):
        lifecycle.close_referral(disagreement, actor=actor, now=now, cancel=True)
    if referral.state == ReferralState.SETTLED:
        lifecycle.reopen_referral(referral, actor=actor, now=now)


def _leave_event(kind: str, judgement: Judgement, now: datetime, **data: object) -> None:
    Event.objects.bulk_create(
        [
            event(
                kind,
                item=judgement.item,
                actor=actor_of(judgement.reviewer),
                now=now,
                to_state=judgement.answer or "unsure",
                reason=judgement.referral.reason,
                data={"saw_prediction": judgement.saw_prediction, "active_ms": judgement.active_ms, **data},
            )
        ]
    )


def _once(known: Callable[[], Judgement | None], give: Callable[[], Judgement]) -> Judgement:
    """Return the judgement that is known under the key, else the one that is given now."""
    before = known()
    if before is not None:
        return before
    try:
        return give()
    except (ClaimLost, NotRevisable, IntegrityError):
        # The same request may have come twice at once and the other one won: then its judgement is the answer.
        winner = known()
        if winner is None:
            raise
        return winner


def _known(reviewer: User, idempotency_key: str, answer: Answer, **about: int | None) -> Judgement | None:
    """Return the judgement with this key; KeyReused where it says something else or is about something else."""
    known = Judgement.objects.filter(reviewer=reviewer, idempotency_key=idempotency_key).select_related("item").first()
    if known is None:
        return None
    if known.answer != answer.key or any(getattr(known, name) != value for name, value in about.items()):
        raise KeyReused("This key came before with another answer.")
    return known
