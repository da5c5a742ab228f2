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


# Items that one page looks through where no single index answers: what matches seldom must not be sought in a million.
LOOKED_THROUGH = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page of items, newest first; each has `hidden`. `next` is the id to ask for what comes after.

    Where that comes with fewer items than a page holds, older ones were not looked at yet.
    """

    items: tuple[Item, ...]
    next: UUID | None


def listed(line: Line, user: User, filters: Mapping[str, str], before: UUID | None) -> Page:
    """Return the items that match, with one query; with two where several filters have to be met at once."""
    blind = roles_of(user).inspector
    found = with_hidden(Item.objects.filter(line=line), user)
    asked = [name for name in TELLING if filters.get(name)]
    for name in asked:
        found = found.filter(**{name: filters[name]})
    if asked and blind:
        found = found.filter(Q(hidden=False))
    if filters.get("state"):
        found = found.filter(_state(filters["state"]) if blind else Q(state=filters["state"]))
    if filters.get("external_id"):
        found = found.filter(external_id=filters["external_id"])
    if before is not None:
        found = found.filter(pk__lt=before)
    floor = None if filters.get("external_id") or not _is_wide(filters, blind=blind) else _floor(line, before)
    if floor is not None:
        found = found.filter(pk__gte=floor)
    rows = list(found.select_related("policy").order_by("-id")[: PAGE + 1])
    return Page(tuple(rows[:PAGE]), rows[PAGE - 1].pk if len(rows) > PAGE else floor)


def _is_wide(filters: Mapping[str, str], *, blind: bool) -> bool:
    """Whether no one index has the matches side by side: several filters, or what only some people must not see."""
    return len([name for name in (*TELLING, "state") if filters.get(name)]) > 1 or (blind and bool(filters))


def _floor(line: Line, before: UUID | None) -> UUID | None:
    """Return the last item that this page looks at; None where it looks at all that are left. It reads an index alone."""
    older = Item.objects.filter(line=line) if before is None else Item.objects.filter(line=line, pk__lt=before)
    return older.order_by("-id").values_list("pk", flat=True)[LOOKED_THROUGH - 1 : LOOKED_THROUGH].first()


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
