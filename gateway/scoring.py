"""Scoring items that are there already: for challengers, and for candidates on past audits."""

from __future__ import annotations

import logging
from collections.abc import Sequence

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
    done = 0
    for start in range(0, len(items), BATCH):
        loaded = [(item, decoded) for item in items[start : start + BATCH] if (decoded := _decoded(line, item)) is not None]
        if not loaded:
            continue
        try:
            scores, latency_ms = service.predict(
                version, [decoded for _, decoded in loaded], timeout=settings.MODEL_TIMEOUT_SECONDS
            )
        except ModelUnavailable as error:
            logger.warning(
                "line %s: the challenger %s could not score %d items: %s", line.slug, version.name, len(loaded), error
            )
            return done
        now = timezone.now()
        # Two workers may have taken the same items: the first row stays.
        Prediction.objects.bulk_create(
            (
                recording.prediction_row(
                    item, score, role=Role.CHALLENGER, model_version=version, latency_ms=latency_ms, now=now
                )
                for (item, _), score in zip(loaded, scores, strict=True)
            ),
            ignore_conflicts=True,
        )
        done += len(loaded)
    return done


def _decoded(line: Line, item: Item) -> Decoded | None:
    """Return the item's photo, or None where it is no longer kept: one that is missing must not stop those after it."""
    try:
        return kinds.get(line.kind).decode(media.load(item.media_digest), limits=photo_limits())
    except (InputRefused, OSError) as error:
        logger.warning("line %s: the photo of item %s cannot be read: %s", line.slug, item.pk, error)
        return None
