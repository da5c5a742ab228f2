"""What the worker does for the gateway. Every task can run twice and be lost once without harm."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from gateway import deployments, lifecycle
from gateway.background import wake
from gateway.models import Deployment, IdempotencyRecord, Item, ItemState, Referral, ReferralState, Role
from gateway.scoring import BATCH, score_items
from policies.models import Line

logger = logging.getLogger(__name__)

# Answers to requests are kept this long under their idempotency keys.
IDEMPOTENCY_AGE = timedelta(hours=24)


def score_with_challenger(line: Line, item_ids: list[UUID]) -> None:
    """Have the line's challenger, where it has one, score these items in the background."""
    if deployments.challenger(line) is not None:
        wake(challenger_scores, line.pk, [str(item_id) for item_id in item_ids])


@shared_task
def challenger_scores(line_id: int, item_ids: list[str]) -> int:
    """Score items with the line's challenger and return how many it did."""
    line = Line.objects.get(pk=line_id)
    version = deployments.challenger(line)
    if version is None:
        return 0
    items = Item.objects.filter(pk__in=item_ids, line=line).exclude(predictions__model_version=version)
    return score_items(line, version, list(items))


@shared_task
def catch_up_challengers() -> int:
    """Score what came since a challenger began and has no score of it: the messages for these were lost."""
    done = 0
    for deployment in Deployment.objects.filter(role=Role.CHALLENGER, ended_at=None).select_related("line", "model_version"):
        # The last seconds belong to messages that are still on their way.
        recent = timezone.now() - timedelta(seconds=30)
        items = Item.objects.filter(line=deployment.line, received_at__gte=deployment.started_at, received_at__lt=recent)
        missing = items.exclude(predictions__model_version=deployment.model_version).order_by("id")[: BATCH * 8]
        done += score_items(deployment.line, deployment.model_version, list(missing))
    return done


@shared_task
def apply_fail_safes() -> int:
    """Apply the fail-safe to every item whose referral is past its due time and which nobody decided."""
    now = timezone.now()
    overdue = Referral.objects.filter(state=ReferralState.OPEN, due_at__lte=now, item__state=ItemState.REFERRED).values_list(
        "item_id", flat=True
    )
    for item_id in list(overdue):
        lifecycle.fail_safe(item_id, now=now)
    return len(overdue)


@shared_task
def forget_old_answers() -> int:
    """Delete idempotency records that are past their age."""
    deleted, _ = IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - IDEMPOTENCY_AGE).delete()
    return deleted
