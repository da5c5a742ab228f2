"""Scoring items that are there already: for challengers, and for candidates on past audits."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.utils import timezone

from gateway import media, recording
from gateway.limits import photo_limits
from gateway.models import Item, Prediction, Role
from inference import kinds, service
from inference.errors import InputRefused, ModelUnavailable
from inference.kinds.base import Decoded
from inference.models import ModelVersion
from policies.models import Line

logger = logging.getLogger(__name__)

BATCH = 32


def score_items(line: Line, version: ModelVersion, items: Sequence[Item]) -> int:
    """Keep what the model says about each item, as a challenger's word; return how many it scored before it failed."""
    return score_batches(line, version, (items[start : start + BATCH] for start in range(0, len(items), BATCH)))


def score_batches(line: Line, version: ModelVersion, batches: Iterable[Sequence[Item]]) -> int:
    """Score one batch after the other until the model gives no answer; return how many items got one."""
    done = 0
    try:
        for batch in batches:
            done += _score_batch(line, version, batch)
    except ModelUnavailable as error:
        logger.warning("line %s: the challenger %s gave no answer: %s", line.slug, version.name, error)
    return done


def _score_batch(line: Line, version: ModelVersion, items: Sequence[Item]) -> int:
    loaded = [(item, decoded) for item in items if (decoded := _decoded(line, item)) is not None]
    if not loaded:
        return 0
    scores, latency_ms = service.predict(version, [one for _, one in loaded], timeout=settings.MODEL_TIMEOUT_SECONDS)
    now = timezone.now()
    # Two workers may have taken the same items: the first row stays.
    Prediction.objects.bulk_create(
        (
            recording.prediction_row(item, score, role=Role.CHALLENGER, model_version=version, latency_ms=latency_ms, now=now)
            for (item, _), score in zip(loaded, scores, strict=True)
        ),
        ignore_conflicts=True,
    )
    return len(loaded)


def _decoded(line: Line, item: Item) -> Decoded | None:
    """Return the item's photo, or None where it is no longer kept: one that is missing must not stop those after it."""
    try:
        return kinds.get(line.kind).decode(media.load(item.media_digest), limits=photo_limits())
    except (InputRefused, OSError) as error:
        # It is looked at once a minute, which nobody wants to read.
        logger.debug("line %s: the photo of item %s cannot be read: %s", line.slug, item.pk, error)
        return None
