"""The one home of a judgement: console, API and tests all give their answers here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError

from gateway import lifecycle
from gateway.compiled import Select, number, uuid
from gateway.errors import KeyReused
from gateway.events import actor_of, event, leave, together
from gateway.models import DecidedBy, Decision, ItemState, Referral, ReferralState
from gateway.prepared import Insert, New
from gateway.turns import in_turn
from policies.decide import Reason
from review import claims
from review.answers import Answer, Said, check_answer, consensus_of, said, standing_answers
from review.consolidation import Standing
from review.errors import ClaimLost, NotRevisable
from review.labels import append_label, inclusion_probability, withdraw_label
from review.models import ClaimEnd, Judgement
from review.undoing import check_revisable

_judgement, _judgements = New(Judgement), Insert(Judgement, keys=True)
# Locked are the question and its item; not the line, which every post and judgement needs.
_locked: Select[Referral] = Select(
    lambda: (
        Referral.objects.select_for_update(of=("self", "item"), no_key=True)
        .select_related("item", "line")
        .filter(pk=number("referral"))
    )
)
_decisions: Select[Decision] = Select(lambda: Decision.objects.filter(item=uuid("item")).order_by("-number")[:1])
_disagreements: Select[Referral] = Select(
    lambda: Referral.objects.filter(
        item=uuid("item"), reason=Reason.DISAGREEMENT.value, state=ReferralState.OPEN
    ).select_related("item")
)


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


@in_turn()
@together()
def _judge(reviewer: User, claim_id: int, answer: Answer, idempotency_key: str, now: datetime) -> Judgement:
    claim = claims.end(claim_id, reviewer, ClaimEnd.ANSWERED, now=now)
    referral = claim.referral
    if referral.state != ReferralState.OPEN:
        raise ClaimLost("The question was settled meanwhile; your answer was not counted.")
    check_answer(referral.line, answer)
    given = standing_answers(referral)
    seen = {"saw_prediction": claim.revealed_at is not None, "blind": claims.reveal_of(referral) == "never"}
    judgement = _write(referral, reviewer, answer, idempotency_key, now, claim=claim, **seen)
    _leave_event("judgement.given", judgement, now)
    _apply(referral, judgement, [*given, said(judgement)], now, settled=False)
    return judgement


def _write(referral: Referral, reviewer: User, answer: Answer, idempotency_key: str, now: datetime, **rest: Any) -> Judgement:
    """Write an answer; `rest` is the claim it was given under, what was seen, and the answer it supersedes."""
    return _judgements.one(
        _judgement(
            referral=referral,
            item=referral.item,
            line=referral.line,
            reviewer=reviewer,
            answer=answer.key,
            regions=answer.regions,
            comment=answer.comment,
            active_ms=answer.active_ms,
            idempotency_key=idempotency_key,
            created_at=now,
            **rest,
        )
    )


@in_turn()
@together()
def _revise(reviewer: User, judgement_id: int, answer: Answer, idempotency_key: str, now: datetime) -> Judgement:
    old = Judgement.objects.filter(pk=judgement_id, reviewer=reviewer).first()
    if old is None:
        raise NotRevisable("This is not an answer of yours.")
    # The lock comes before the look: two tabs that revise the same answer go one after the other.
    referral = _locked.all(referral=old.referral_id)[0]
    check_revisable(reviewer, old, now)
    check_answer(referral.line, answer)
    given = standing_answers(referral)
    settled = consensus_of(referral, given).standing is Standing.AGREED
    seen = {"saw_prediction": old.saw_prediction, "blind": old.blind}
    judgement = _write(referral, reviewer, answer, idempotency_key, now, claim_id=old.claim_id, supersedes=old, **seen)
    _leave_event("judgement.revised", judgement, now, was=old.answer)
    _take_back(referral, actor_of(reviewer), now)
    stays = [one for one in given if one.judgement != old.pk]
    _apply(referral, judgement, [*stays, said(judgement)], now, settled=settled)
    return judgement


def _apply(referral: Referral, judgement: Judgement, given: Sequence[Said], now: datetime, *, settled: bool) -> None:
    """Let the item, its referral and its label follow from what was said; `settled`: those who judged had agreed before."""
    consensus = consensus_of(referral, given)
    if settled and consensus.standing is not Standing.AGREED:
        _unsettle(referral, judgement, now)
    match consensus.standing:
        case Standing.DISAGREED:
            lifecycle.close_referral(referral, actor=actor_of(judgement.reviewer), now=now)
            _ask_a_third(referral, now)
        case Standing.AGREED:
            _agree(referral, judgement, given, consensus.answer or "", now)


def _unsettle(referral: Referral, judgement: Judgement, now: datetime) -> None:
    """Take back what the judgements had settled: the label always, the decision where it was theirs and not only confirmed."""
    item = referral.item
    withdraw_label(item, now=now)
    standing = _decisions.first(item=item.pk)
    theirs = (
        standing is not None
        and standing.decided_by == DecidedBy.PERSON
        and standing.reason == referral.reason
        and standing.created_at >= referral.created_at
    )
    if theirs:
        lifecycle.take_back(item.pk, user=judgement.reviewer, reason="the answer was taken back", now=now)


def _agree(referral: Referral, judgement: Judgement, given: Sequence[Said], answer: str, now: datetime) -> None:
    reviewer = judgement.reviewer
    lifecycle.close_referral(referral, actor=actor_of(reviewer), now=now)
    if _contradicts(referral, reviewer, answer):
        _ask_a_third(referral, now)
        return
    lifecycle.settle_locked(referral.item, answer, user=reviewer, reason=Reason(referral.reason), now=now)
    judged = [one for one in given if one.answer != Judgement.UNSURE]
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
    if referral.reason == Reason.DISAGREEMENT or referral.item.state != ItemState.DECIDED:
        return False
    standing = _decisions.first(item=referral.item_id)
    return (
        standing is not None
        and standing.decided_by == DecidedBy.PERSON
        and standing.user_id != reviewer.pk
        and standing.answer != answer
        and standing.created_at > referral.created_at
    )


def _ask_a_third(referral: Referral, now: datetime) -> None:
    if not _disagreements.all(item=referral.item_id):
        lifecycle.refer(referral.item, Reason.DISAGREEMENT, blind=True, actor="system:consolidation", now=now)


def _take_back(referral: Referral, actor: str, now: datetime) -> None:
    """Undo what the old answer had settled, so that the new one is applied to an open question."""
    for disagreement in _disagreements.all(item=referral.item_id):
        if disagreement.pk != referral.pk:
            lifecycle.close_referral(disagreement, actor=actor, now=now, cancel=True)
    if referral.state == ReferralState.SETTLED:
        lifecycle.reopen_referral(referral, actor=actor, now=now)


def _leave_event(kind: str, judgement: Judgement, now: datetime, **data: object) -> None:
    leave(
        event(
            kind,
            item=judgement.item,
            actor=actor_of(judgement.reviewer),
            now=now,
            to_state=judgement.answer or "unsure",
            reason=judgement.referral.reason,
            data={"saw_prediction": judgement.saw_prediction, "active_ms": judgement.active_ms, **data},
        )
    )


def _once(known: Callable[[], Judgement | None], give: Callable[[], Judgement]) -> Judgement:
    """Return the judgement that is given now, else the one that is known under the key.

    A key that was used has ended its claim, or superseded its answer, in the transaction in which it was written, so that it
    can't be used for the same thing again, and a constraint keeps it from anything else. Only who is refused has to look.
    """
    try:
        return give()
    except (ClaimLost, NotRevisable, IntegrityError):
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
