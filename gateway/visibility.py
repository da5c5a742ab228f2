"""Who must not see what the model said. Pages, lists and JSON all ask here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.utils import timezone

from gateway.models import Item, Referral, ReferralState
from gateway.roles import roles_of
from policies.models import Reveal


def hidden_items(user: User | AnonymousUser, item_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of the items of which this user must see neither prediction nor a decision made from it.

    Whoever may be given an item to judge blind must not be able to look it up while people are still asked, nor while an
    answer just given can still be changed.
    """
    if not roles_of(user).inspector:
        return set()
    return set(hiding_referrals().filter(item_id__in=list(item_ids)).values_list("item_id", flat=True))


def hiding_referrals() -> QuerySet[Referral]:
    """Return the referrals whose items are hidden from inspectors.

    Hidden are items judged blind, by themselves or by their line's choice; and, while people are asked, those whose
    prediction is shown after the first look: only the console notes who has seen it.
    """
    still_open = Q(state=ReferralState.OPEN)
    revisable = Q(settled_at__gte=timezone.now() - timedelta(minutes=settings.REVISE_MINUTES))
    blind = Q(blind=True) | Q(line__reveal=Reveal.BLIND)
    return Referral.objects.filter(blind & (still_open | revisable) | still_open & Q(line__reveal=Reveal.AFTER))


def hides_prediction(user: User | AnonymousUser, item: Item) -> bool:
    """Return whether this user must not see the item's prediction now."""
    return item.pk in hidden_items(user, [item.pk])
