"""Which photos may go, and letting them go. Decisions, statistics and digests always stay."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from gateway import leaving
from gateway.events import event
from gateway.models import Event, Item, ItemState, Referral, ReferralState
from policies.models import Line
from review.models import DatasetVersion, Label, LabelExample

# Items a transaction.
BATCH = 200
# A revision that began in its last moment may end a little later.
MARGIN = timedelta(minutes=1)
ACTOR = "system:retention"


def delete_old(line: Line, *, now: datetime, most: int) -> int:
    """Delete the photos of the line that are past its days, oldest first and at most `most`; return how many items lost one.

    Not those that people are asked about or may still change their answer on, nor those in a dataset or the label book.
    """
    if line.photo_days is None:
        return 0
    old = Item.objects.filter(line=line, received_at__lt=now - timedelta(days=line.photo_days))
    last = DatasetVersion.objects.filter(line=line).aggregate(last=Max("last_sequence"))["last"] or 0
    labelled = Label.objects.filter(item=OuterRef("pk"), sequence__lte=last)
    shown = LabelExample.objects.filter(item=OuterRef("pk"))
    # Without consent it is in no dataset, whatever labels it has.
    due = _settled(old, now).filter(~Exists(shown) & ~Exists(labelled) | Q(consent=False)).order_by("received_at")
    days = f"{line.photo_days} {'day' if line.photo_days == 1 else 'days'}"
    return _in_batches(due, f"The line keeps photos for {days}.", {"days": line.photo_days}, now=now, most=most)


def delete_unwanted(*, now: datetime, most: int) -> int:
    """Delete the photos of items that came without consent and are decided for good; return how many items lost one."""
    due = _settled(Item.objects.filter(consent=False), now).order_by("decided_at")
    return _in_batches(due, "It was sent without consent to keep it.", {"consent": False}, now=now, most=most)


def finish(*, now: datetime) -> int:
    """Remove the bytes of what was deleted a while ago and what nothing else needs; return how many files went."""
    return leaving.finish(needed, now=now)


def needed(digests: Iterable[str]) -> set[str]:
    """Return those of the digests that a kept item, or a label's mask, still names."""
    wanted = list(digests)
    kept = Item.objects.filter(media_digest__in=wanted, photo_deleted_at=None).values_list("media_digest", flat=True)
    masks = Label.objects.filter(mask_digest__in=wanted).values_list("mask_digest", flat=True)
    frozen = DatasetVersion.objects.filter(digest__in=wanted).values_list("digest", flat=True)
    return {*kept, *masks, *frozen}


def _settled(items: QuerySet[Item], now: datetime) -> QuerySet[Item]:
    """Leave out whose decision is not final: people are asked, or an answer can still be changed."""
    recent = now - timedelta(minutes=settings.REVISE_MINUTES) - MARGIN
    asked = Referral.objects.filter(Q(state=ReferralState.OPEN) | Q(settled_at__gte=recent), item=OuterRef("pk"))
    return items.filter(~Exists(asked), state=ItemState.DECIDED, photo_deleted_at=None)


def _in_batches(due: QuerySet[Item], why: str, data: dict[str, object], *, now: datetime, most: int) -> int:
    done = 0
    while done < most:
        found = dict(due.values_list("pk", "media_digest")[: min(BATCH, most - done)])
        # Files first: a crash after this leaves photos that are aside and still readable, and that come back by themselves.
        for digest in set(found.values()) - _needed_by_others(found):
            leaving.set_aside(digest, now=now)
        marked = _mark(due, list(found), why, data, now=now)
        done += marked
        if not found or marked < len(found):
            # Somebody asked about one of them in this moment: the next run looks again.
            break
    return done


def _needed_by_others(found: dict[UUID, str]) -> set[str]:
    """Return the digests that items outside this batch, or masks, name as well."""
    digests = list(found.values())
    others = Item.objects.filter(media_digest__in=digests, photo_deleted_at=None).exclude(pk__in=list(found))
    masks = Label.objects.filter(mask_digest__in=digests).values_list("mask_digest", flat=True)
    return {*others.values_list("media_digest", flat=True), *masks}


@transaction.atomic
def _mark(due: QuerySet[Item], found: list[UUID], why: str, data: dict[str, object], *, now: datetime) -> int:
    """Note on the items that their photos are gone, each with its event. Whoever asks people about one takes the same lock."""
    locked = Item.objects.select_for_update(no_key=True).filter(pk__in=found).order_by("pk")
    list(locked.values_list("pk", flat=True))
    items = list(due.filter(pk__in=found).only("pk", "line_id", "media_digest"))
    Item.objects.filter(pk__in=[item.pk for item in items]).update(photo_deleted_at=now)
    Event.objects.bulk_create(
        event("photo.deleted", item=item, actor=ACTOR, now=now, reason=why, data=data | {"sha256": item.media_digest})
        for item in items
    )
    return len(items)
