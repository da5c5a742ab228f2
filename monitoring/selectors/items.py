"""Lists of items, for people who may see everything and for inspectors who must not see some of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet, Value

from gateway.models import Item, ItemState
from gateway.roles import roles_of
from gateway.visibility import hiding_referrals
from policies.models import Line

PAGE = 60
# Filters that speak of what a model said or decided. Hidden items match none of them, else the filter would tell.
TELLING = ("answer", "route", "reason", "decided_by")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of items, newest first; each has `hidden`. `next` is the id to ask for what comes after."""

    items: tuple[Item, ...]
    next: UUID | None


def listed(line: Line, user: User, filters: Mapping[str, str], before: UUID | None) -> Page:
    """Return the items that match, with one query."""
    found = with_hidden(Item.objects.filter(line=line), user)
    for name in TELLING:
        if filters.get(name):
            found = found.filter(**{name: filters[name], "hidden": False})
    if filters.get("state"):
        found = found.filter(_state(filters["state"]))
    if filters.get("external_id"):
        found = found.filter(external_id=filters["external_id"])
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.select_related("policy").order_by("-id")[: PAGE + 1])
    return Page(tuple(rows[:PAGE]), rows[PAGE - 1].pk if len(rows) > PAGE else None)


def with_hidden(items: QuerySet[Item], user: User) -> QuerySet[Item]:
    """Annotate `hidden`: the user must see neither the prediction nor a decision of the item. The rule is the gateway's."""
    if not roles_of(user).inspector:
        return items.annotate(hidden=Value(False, output_field=BooleanField()))
    return items.annotate(hidden=Exists(hiding_referrals().filter(item=OuterRef("pk"))))


def _state(state: str) -> Q:
    """A hidden item counts as waiting for people, whatever was decided meanwhile."""
    if state == ItemState.REFERRED:
        return Q(state=state) | Q(hidden=True)
    return Q(state=state, hidden=False)
