"""The label feed: append-only, in the order of commits, so that a cursor never skips and never repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from gateway.compiled import Rows, UpdateReturning, number, uuid
from gateway.models import Item
from gateway.prepared import Insert, New
from policies.decide import Reason, Route
from review.models import Label, LabelFeed, LabelSource

# What was drawn for people because somebody doubted it, and not by chance: nobody knows with which probability.
DOUBTED = {Reason.APPEAL.value, Reason.RECALL.value}

_label, _labels = New(Label), Insert(Label, keys=True)
_standing = Rows(lambda: Label.standing.filter(item=uuid("item")).values_list("pk"))
# The update locks the row until the caller commits, so that the next places are given only after these are visible.
_longer = UpdateReturning(
    "last_sequence",
    lambda: LabelFeed.objects.filter(line=number("line")),
    last_sequence=F("last_sequence") + number("count"),
)


def append_label(
    item: Item,
    answer: str,
    *,
    regions: Sequence[dict[str, Any]] = (),
    source: LabelSource = LabelSource.JUDGEMENT,
    blind: bool,
    seen: bool = False,
    inclusion_probability: float | None,
    mask_digest: str = "",
    now: datetime,
) -> Label:
    """Append the item's label; what stood before is superseded. An empty answer withdraws it.

    Call it inside the transaction of the judgement: the feed's row is locked until that commits.
    """
    previous = _standing.first(item=item.pk)
    return _labels.one(
        _label(
            line_id=item.line_id,
            item=item,
            sequence=next_sequences(item.line_id, 1)[0],
            answer=answer,
            regions=list(regions),
            mask_digest=mask_digest,
            source=source,
            blind=blind,
            seen=seen,
            in_audit=item.in_audit,
            inclusion_probability=inclusion_probability,
            supersedes_id=previous[0] if previous else None,
            created_at=now,
        )
    )


def withdraw_label(item: Item, *, now: datetime) -> None:
    """Withdraw the item's label where it has one."""
    standing = Label.standing.filter(item=item).exclude(answer="").first()
    if standing is not None:
        append_label(item, "", blind=standing.blind, inclusion_probability=standing.inclusion_probability, now=now)


def next_sequences(line_id: int, count: int) -> range:
    """Reserve `count` places at the end of the line's feed, inside the caller's transaction."""
    ends = _longer.all(line=line_id, count=count)
    if not ends:
        # The line's first label.
        LabelFeed.objects.get_or_create(line_id=line_id)
        ends = _longer.all(line=line_id, count=count)
    return range(ends[0] - count + 1, ends[0] + 1)


def inclusion_probability(item: Item, reason: str) -> float | None:
    """Return the probability with which an item of its route came to be labelled: 1 where every such item is referred."""
    if item.route == Route.REFER:
        return 1.0
    return None if reason in DOUBTED or not item.in_audit else item.policy.audit_rate
