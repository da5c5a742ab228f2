"""The only writer of an item's state. Every move is a compare-and-set and leaves an event in the same transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway.compiled import Update, moment, number, text, uuid
from gateway.errors import AlreadyOpen, MovedMeanwhile, PhotoDeleted
from gateway.events import actor_of, event, leave
from gateway.models import DecidedBy, Decision, Item, ItemState, Referral, ReferralState
from gateway.prepared import Insert, New
from policies.decide import Reason
from policies.models import PolicyVersion

# Who waits longest is served first within a priority; these come before the ordinary stream.
PRIORITY = {Reason.APPEAL: 30, Reason.DISAGREEMENT: 20, Reason.RECALL: 20, Reason.MODEL_UNAVAILABLE: 10}
# Every priority there is, highest first.
LEVELS = tuple(sorted({0, *PRIORITY.values()}, reverse=True))

_referral = New(Referral)
_decision, _decisions = New(Decision), Insert(Decision, keys=True)
_move_item = Update(
    lambda: Item.objects.filter(pk=uuid("item"), revision=number("was")),
    state=text("state"),
    answer=text("answer"),
    decided_by=text("decided_by"),
    decided_at=moment("decided_at"),
    revision=number("revision"),
)
_move_referral = Update(
    lambda: Referral.objects.filter(pk=number("referral"), state=text("was")),
    state=text("state"),
    settled_at=moment("settled_at"),
)


def new_referral(
    item: Item, policy: PolicyVersion, reason: Reason, *, blind: bool, probability: float, now: datetime
) -> Referral:
    """Return an unsaved referral under the policy's due time, and its overlap where the item is in the audit sample."""
    return _referral(
        item=item,
        line_id=item.line_id,
        reason=reason.value,
        blind=blind,
        priority=PRIORITY.get(reason, 0),
        wanted=policy.overlap if item.in_audit else 1,
        probability=probability,
        created_at=now,
        due_at=now + timedelta(seconds=policy.due_seconds) if policy.due_seconds else None,
    )


@transaction.atomic
def refer(
    item: Item, reason: Reason, *, blind: bool, actor: str, now: datetime, note: str = "", probability: float = 1.0
) -> Referral:
    """Ask people to look at an item once more; its decision stands meanwhile.

    AlreadyOpen where they are asked already, PhotoDeleted where there is nothing left to look at.
    """
    # Under the lock that retention takes too: a photo that people are asked about is not deleted.
    kept = Item.objects.select_for_update(no_key=True).values_list("photo_deleted_at", flat=True)
    if deleted_at := kept.get(pk=item.pk):
        raise PhotoDeleted(f"The photo was deleted on {deleted_at:%Y-%m-%d}, so nobody can look at it again.")
    if Referral.objects.filter(item=item, reason=reason.value, state=ReferralState.OPEN).exists():
        raise AlreadyOpen(f"People are already asked to look at this item ({reason.value}).")
    referral = new_referral(item, item.policy, reason, blind=blind, probability=probability, now=now)
    referral.wanted = 1
    referral.note = note[:500]
    try:
        with transaction.atomic():
            referral.save(force_insert=True)
    except IntegrityError:
        raise AlreadyOpen(f"People are already asked to look at this item ({reason.value}).") from None
    leave(event("referral.opened", item=item, actor=actor, now=now, to_state="open", reason=reason.value))
    return referral


@transaction.atomic
def settle(item_id: UUID, answer: str, *, user: User, reason: Reason, now: datetime) -> Item:
    """Give the item the answer that people agreed on."""
    item = Item.objects.select_for_update(no_key=True).get(pk=item_id)
    return settle_locked(item, answer, user=user, reason=reason, now=now)


def settle_locked(item: Item, answer: str, *, user: User, reason: Reason, now: datetime) -> Item:
    """Give the answer that people agreed on to an item that the caller's transaction has read under a lock.

    A standing decision with the same answer is confirmed; any other is superseded. Raises MovedMeanwhile where the item
    was moved between look and leap.
    """
    actor = actor_of(user)
    # What nobody decided in time is decided now, even if the fail-safe had said the same.
    if item.state == ItemState.DECIDED and item.answer == answer and item.decided_by != DecidedBy.FAIL_SAFE:
        leave(
            event(
                "decision.confirmed", item=item, actor=actor, now=now, from_state=answer, to_state=answer, reason=reason.value
            )
        )
        return item
    return _decide(item, answer, DecidedBy.PERSON, user=user, actor=actor, reason=reason, now=now)


@transaction.atomic
def fail_safe(item_id: UUID, *, now: datetime) -> Item:
    """Apply the policy's fail-safe to an item that nobody decided in time. It never passes an item."""
    item = Item.objects.select_for_update(of=("self",), no_key=True).select_related("policy").get(pk=item_id)
    if item.state != ItemState.REFERRED:
        return item
    if item.policy.fail_safe == PolicyVersion.HOLD:
        _move(item, state=ItemState.HELD)
        was, held = ItemState.REFERRED, ItemState.HELD
        leave(event("item.held", item=item, actor="system:deadline", now=now, from_state=was, to_state=held))
        return item
    return _decide(
        item,
        item.policy.fail_safe,
        DecidedBy.FAIL_SAFE,
        user=None,
        actor="system:deadline",
        reason=Reason(item.reason),
        now=now,
    )


@transaction.atomic
def take_back(item_id: UUID, *, user: User, reason: str, now: datetime) -> Item:
    """Take a person's decision back without giving another.

    A decision of the model, or one that was imported, stands again, as a new one; without such the item waits for people.
    """
    item = Item.objects.select_for_update(no_key=True).get(pk=item_id)
    if item.state != ItemState.DECIDED:
        return item
    earlier = Decision.objects.filter(item=item, decided_by__in=[DecidedBy.MODEL, DecidedBy.IMPORT]).order_by("-number").first()
    if earlier is not None:
        by, why = DecidedBy(earlier.decided_by), Reason(earlier.reason)
        model = earlier.model_version_id
        return _decide(item, earlier.answer, by, user=None, actor=actor_of(user), reason=why, now=now, model_version_id=model)
    was = item.answer
    _move(item, state=ItemState.REFERRED, answer="", decided_by="", decided_at=None)
    to, actor = ItemState.REFERRED, actor_of(user)
    leave(event("item.reopened", item=item, actor=actor, now=now, from_state=was, to_state=to, reason=reason))
    return item


def close_referral(referral: Referral, *, actor: str, now: datetime, cancel: bool = False) -> None:
    """End an open referral. Raises MovedMeanwhile where it was not open."""
    state = ReferralState.CANCELLED if cancel else ReferralState.SETTLED
    was = ReferralState.OPEN.value
    if _move_referral.run(referral=referral.pk, was=was, state=state.value, settled_at=now) != 1:
        raise MovedMeanwhile("The referral is no longer open.")
    referral.state, referral.settled_at = state, now
    kind, item, reason = f"referral.{state.value}", referral.item, referral.reason
    leave(event(kind, item=item, actor=actor, now=now, from_state="open", to_state=state, reason=reason))


def reopen_referral(referral: Referral, *, actor: str, now: datetime) -> None:
    """Put a settled referral back into the queue. Raises MovedMeanwhile where it was not settled."""
    was, state = ReferralState.SETTLED.value, ReferralState.OPEN
    if _move_referral.run(referral=referral.pk, was=was, state=state.value, settled_at=None) != 1:
        raise MovedMeanwhile("The referral is not settled.")
    referral.state, referral.settled_at = state, None
    item, reason = referral.item, referral.reason
    leave(event("referral.reopened", item=item, actor=actor, now=now, from_state="settled", to_state="open", reason=reason))


def _decide(
    item: Item,
    answer: str,
    by: DecidedBy,
    *,
    user: User | None,
    actor: str,
    reason: Reason,
    now: datetime,
    model_version_id: int | None = None,
) -> Item:
    was, kind = item.answer or item.state, "decision.superseded" if item.answer else "item.decided"
    _move(item, state=ItemState.DECIDED, answer=answer, decided_by=by, decided_at=now)
    _decisions.one(
        _decision(
            item=item,
            number=item.revision,
            answer=answer,
            decided_by=by,
            policy_id=item.policy_id,
            model_version_id=model_version_id,
            user=user,
            reason=reason.value,
            created_at=now,
        )
    )
    leave(event(kind, item=item, actor=actor, now=now, from_state=was, to_state=answer, reason=reason.value))
    return item


def _move(item: Item, **columns: object) -> None:
    """Compare-and-set on the item's revision. What is not named stays as it was read: it moves with the revision alone."""
    stays = {name: getattr(item, name) for name in ("state", "answer", "decided_by", "decided_at")}
    columns = stays | columns | {"revision": item.revision + 1}
    if _move_item.run(item=item.pk, was=item.revision, **columns) != 1:
        raise MovedMeanwhile("The item was moved by somebody else.")
    for name, value in columns.items():
        setattr(item, name, value)
