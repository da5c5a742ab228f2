"""Bringing in photos that somebody labelled elsewhere: a folder a class, masks beside them where there are some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from gateway import media
from gateway.events import event
from gateway.ids import uuid7
from gateway.limits import photo_limits
from gateway.models import DecidedBy, Decision, Event, Item, ItemState
from inference import kinds
from inference.errors import InputRefused
from inference.kinds.base import Decoded
from policies.changes import active_policy
from policies.decide import Reason, Route, draw_for
from policies.models import Line, PolicyVersion
from review.errors import FolderRefused
from review.labels import next_sequences
from review.models import Label, LabelSource

PHOTO_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
# What people call the folder of good ones.
NEGATIVE_NAMES = ("ok", "good", "free", "normal", "pass", "none", "negative", "no_defect")
BATCH = 32


@dataclass(frozen=True, slots=True)
class Labelled:
    """One photo of the folder."""

    path: Path
    answer: str
    external_id: str
    mask: Path | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `refused` holds a sentence a file that could not be taken."""

    added: int
    known: int
    refused: tuple[str, ...]


def find_classes(folder: Path, negative: str | None = None) -> list[str]:
    """Return the names of the folder's classes, the negative first. Raises FolderRefused where that cannot be told."""
    if not folder.is_dir():
        raise FolderRefused(f"There is no folder {folder}.")
    names = sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not names:
        raise FolderRefused(f"{folder} has no folders in it; it should have one a class.")
    known = negative or next((name for name in NEGATIVE_NAMES if name in names), None)
    if known is None:
        # Only defects were photographed: the line still needs an answer for a good one.
        known = "ok"
    return [known, *(name for name in names if name != known)]


def find_photos(folder: Path, classes: Sequence[str], id_pattern: str | None = None) -> list[Labelled]:
    """Return the folder's photos in a fixed order.

    A `.png` beside a photo of the same stem is that photo's mask. `id_pattern` is a regular expression whose first group,
    found in the file's stem, names the unit; photos of one unit stay on one side of the split. Otherwise the stem does.
    """
    try:
        pattern = re.compile(id_pattern) if id_pattern else None
    except re.error as error:
        raise FolderRefused(f"The id pattern {id_pattern!r} is no regular expression: {error}.") from None
    return [one for name in sorted(classes) if (folder / name).is_dir() for one in _of_class(folder / name, name, pattern)]


def import_photos(line: Line, photos: Sequence[Labelled], *, actor: str, progress: Callable[[int], None]) -> Imported:
    """Bring photos in as decided items with labels, a transaction a batch: what is cut off goes on where it stopped.

    The same content comes in once a line. `progress` is told how many more photos are done.
    """
    classes = set(line.classes.values_list("key", flat=True))
    missing = sorted({photo.answer for photo in photos} - classes)
    if missing:
        raise FolderRefused(f"The line {line.slug} has no class {', '.join(missing)}; it has {', '.join(sorted(classes))}.")
    policy, known, added = active_policy(line), 0, 0
    refused: list[str] = []
    for batch in _batches(photos):
        fresh: dict[str, tuple[Labelled, bytes]] = {}
        for photo in batch:
            data = photo.path.read_bytes()
            fresh.setdefault(media.digest_of(data), (photo, data))
        # Known by the label it came with: people may have decided otherwise since.
        there = Label.objects.filter(line=line, source=LabelSource.IMPORT, item__media_digest__in=list(fresh))
        for digest in set(there.values_list("item__media_digest", flat=True)):
            del fresh[digest]
        decoded = {digest: _decode(line, photo, data, refused) for digest, (photo, data) in fresh.items()}
        rows = [(photo, digest, seen) for digest, (photo, _) in fresh.items() if (seen := decoded[digest])]
        media.store_all([(fresh[digest][1], digest) for _, digest, _ in rows])
        masks = {photo.path: media.store(photo.mask.read_bytes()) for photo, _, _ in rows if photo.mask}
        with transaction.atomic():
            _record(line, policy, rows, masks, actor=actor, now=timezone.now())
        added += len(rows)
        known += len(batch) - len(fresh)
        progress(len(batch))
    return Imported(added, known, tuple(refused))


def _of_class(folder: Path, name: str, pattern: re.Pattern[str] | None) -> Iterator[Labelled]:
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix.lower() in PHOTO_ENDINGS)
    stems = {one.with_suffix("") for one in files if one.suffix.lower() != ".png"}
    masks = {one.with_suffix(""): one for one in files if one.suffix.lower() == ".png" and one.with_suffix("") in stems}
    for path in files:
        if path in masks.values():
            continue
        found = pattern.search(path.stem) if pattern else None
        unit = found.group(1) if found and found.groups() else found.group(0) if found else f"{name}/{path.stem}"
        yield Labelled(path, name, unit[:200], masks.get(path.with_suffix("")))


def _decode(line: Line, photo: Labelled, data: bytes, refused: list[str]) -> Decoded | None:
    try:
        return kinds.get(line.kind).decode(data, limits=photo_limits())
    except InputRefused as error:
        refused.append(f"{photo.path.name}: {error.detail}")
        return None


def _record(
    line: Line,
    policy: PolicyVersion,
    rows: Sequence[tuple[Labelled, str, Decoded]],
    masks: dict[Path, str],
    *,
    actor: str,
    now: datetime,
) -> None:
    items = [_item(line, policy, photo, digest, decoded, actor, now) for photo, digest, decoded in rows]
    Item.objects.bulk_create(items)
    Decision.objects.bulk_create(
        Decision(
            item=item,
            number=1,
            answer=item.answer,
            decided_by=DecidedBy.IMPORT,
            policy=policy,
            reason=item.reason,
            created_at=now,
        )
        for item in items
    )
    places = next_sequences(line.pk, len(items)) if items else range(0)
    Label.objects.bulk_create(
        Label(
            line=line,
            item=item,
            sequence=place,
            answer=item.answer,
            mask_digest=masks.get(photo.path, ""),
            source=LabelSource.IMPORT,
            blind=False,
            in_audit=False,
            inclusion_probability=None,
            created_at=now,
        )
        for item, place, (photo, _, _) in zip(items, places, rows, strict=True)
    )
    Event.objects.bulk_create(event("item.imported", item=item, actor=actor, now=now, to_state=item.answer) for item in items)


def _item(line: Line, policy: PolicyVersion, photo: Labelled, digest: str, decoded: Decoded, actor: str, now: datetime) -> Item:
    item_id = uuid7()
    return Item(
        id=item_id,
        line=line,
        policy=policy,
        received_at=now,
        source=actor[:100],
        external_id=photo.external_id,
        metadata={"file": photo.path.name},
        media_digest=digest,
        media_type=decoded.media_type,
        media_bytes=photo.path.stat().st_size,
        width=decoded.width,
        height=decoded.height,
        brightness=decoded.stats.get("brightness"),
        contrast=decoded.stats.get("contrast"),
        sharpness=decoded.stats.get("sharpness"),
        draw=draw_for(item_id, line.secret),
        in_audit=False,
        route=Route.REFER.value,
        reason=Reason.HUMAN_ONLY.value,
        state=ItemState.DECIDED,
        answer=photo.answer,
        decided_by=DecidedBy.IMPORT,
        decided_at=now,
        revision=1,
    )


def _batches(photos: Sequence[Labelled]) -> Iterator[list[Labelled]]:
    rest = iter(photos)
    while batch := list(islice(rest, BATCH)):
        yield batch
