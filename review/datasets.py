"""Dataset versions: the standing labels of a line, frozen as a manifest that is named by its digest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet

from gateway import media
from gateway.events import actor_of, event
from policies.locks import hold_line
from policies.models import Line
from review.errors import NothingLabelled
from review.models import DatasetVersion, Label
from review.splits import split_of


def freeze(line: Line, *, by: User | None, now: datetime) -> DatasetVersion:
    """Return the version that holds the line's standing labels, a new one only where these have changed."""
    rows = _without_twins([_row(line, label) for label in standing_labels(line)])
    if not rows:
        raise NothingLabelled(f"Nobody has labelled anything on the line {line.slug} yet.")
    digest = media.store("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode())
    with transaction.atomic():
        # The line's row is the lock under which numbers are given.
        hold_line(line)
        known = DatasetVersion.objects.filter(line=line, digest=digest).first()
        if known is not None:
            return known
        number = (DatasetVersion.objects.filter(line=line).aggregate(last=Max("number"))["last"] or 0) + 1
        version = DatasetVersion.objects.create(
            line=line,
            number=number,
            digest=digest,
            last_sequence=max(row["sequence"] for row in rows),
            counts=_counts(rows),
            created_at=now,
            created_by=by,
        )
        event(
            "dataset.frozen", line=line, actor=actor_of(by), now=now, to_state=f"dataset {number}", data={"rows": len(rows)}
        ).save(force_insert=True)
    return version


def rows_of(version: DatasetVersion) -> Iterator[dict[str, Any]]:
    """Yield the rows of a version as they were frozen, one at a time."""
    with media.open_file(version.digest) as file:
        for text in file:
            yield json.loads(text)


def standing_labels(line: Line) -> QuerySet[Label]:
    """Return the labels that count now: the last of each item, withdrawn ones left out.

    What came without consent is never trained on, nor is what has lost its photo.
    """
    standing = Label.standing.filter(line=line, item__consent=True, item__photo_deleted_at=None)
    standing = standing.exclude(answer="")
    return standing.select_related("item").order_by("item_id")


def _row(line: Line, label: Label) -> dict[str, Any]:
    item = label.item
    return {
        "item": str(item.pk),
        "external_id": item.external_id,
        "photo": item.media_digest,
        "media_type": item.media_type,
        "width": item.width,
        "height": item.height,
        "answer": label.answer,
        "regions": label.regions,
        "mask": label.mask_digest,
        "split": split_of(line.slug, item.external_id, item.media_digest),
        "source": label.source,
        "blind": label.blind,
        "in_audit": label.in_audit,
        "inclusion_probability": label.inclusion_probability,
        "sequence": label.sequence,
    }


def _without_twins(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what a model would be tested on after it was trained on the same photo, come in under another id."""
    known = {row["photo"] for row in rows if row["split"] == "train"}
    return [row for row in rows if row["split"] == "train" or row["photo"] not in known]


def _counts(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    counts = Counter((row["split"], row["answer"]) for row in rows)
    splits = sorted({split for split, _ in counts})
    return {split: {answer: n for (side, answer), n in sorted(counts.items()) if side == split} for split in splits}
