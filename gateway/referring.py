"""Asking people to look at many items once more, in as many statements as there are tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from gateway.errors import AlreadyOpen
from gateway.events import event
from gateway.lifecycle import new_referral
from gateway.models import Event, Item, Referral, ReferralState
from policies.decide import Reason


@transaction.atomic
def refer_all(
    item_ids: Sequence[UUID],
    reason: Reason,
    *,
    blind: bool,
    actor: str,
    now: datetime,
    note: str = "",
    probability: float = 1.0,
) -> list[Referral]:
    """Ask people to look at each item, as `lifecycle.refer` does for one; their decisions stand meanwhile.

    Those that people are asked about already for this reason are left out, and those whose photo is gone. Raises
    AlreadyOpen where somebody else asks for some of them in this moment; then nothing was written. Five queries, however
    many items there are.
    """
    open_already = Referral.objects.filter(reason=reason.value, state=ReferralState.OPEN).values("item_id")
    # Under the lock that retention takes too: a photo that people are asked about is not deleted.
    kept = Item.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=item_ids, photo_deleted_at=None)
    items = kept.select_related("policy").exclude(pk__in=open_already).order_by("pk")
    found = {item.pk: item for item in items}
    referrals = []
    # In the caller's order, which the queue keeps within a priority.
    for item in (found[item_id] for item_id in item_ids if item_id in found):
        referral = new_referral(item, item.policy, reason, blind=blind, probability=1.0, now=now)
        referral.wanted = 1
        referral.note = note[:500]
        referrals.append(referral)
    try:
        with transaction.atomic():
            Referral.objects.bulk_create(referrals)
    except IntegrityError:
        raise AlreadyOpen("People were asked about some of these items in this moment. Look again.") from None
    Event.objects.bulk_create(
        event("referral.opened", item=referral.item, actor=actor, now=now, to_state="open", reason=reason.value)
        for referral in referrals
    )
    return referrals
