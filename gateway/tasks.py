"""What the worker does for the gateway. Every task can run twice and be lost once without harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db.models import QuerySet
from django.utils import timezone

from gateway import deployments, lifecycle
from gateway.background import wake
from gateway.models import Deployment, IdempotencyRecord, Item, ItemState, Referral, ReferralState, Role
from gateway.scoring import BATCH, score_batches
from inference.models import ModelVersion
from policies.changes import active_policy
from policies.models import Line
from policies.modes import Mode

# What a run of catching up may take in seconds, less than the minute until the next; all lines share it.
CATCH_UP_SECONDS = 40.0
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
    if version is None or not _runs_models(line):
        return 0
    return score_batches(line, version, _newest_first(Item.objects.filter(pk__in=item_ids, line=line), version))


@shared_task
def catch_up_challengers() -> int:
    """Score what came since a challenger began and has no score of it: the messages for these were lost."""
    challenging = Deployment.objects.filter(role=Role.CHALLENGER, ended_at=None).select_related("line", "model_version")
    running = [deployment for deployment in challenging if _runs_models(deployment.line)]
    done = 0
    for deployment in running:
        # The last seconds belong to messages that are still on their way.
        recent = timezone.now() - timedelta(seconds=30)
        items = Item.objects.filter(line=deployment.line, received_at__gte=deployment.started_at, received_at__lt=recent)
        batches = _newest_first(items, deployment.model_version)
        done += score_batches(deployment.line, deployment.model_version, _for_seconds(CATCH_UP_SECONDS / len(running), batches))
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


def _runs_models(line: Line) -> bool:
    return Mode(active_policy(line).mode).runs_model


def _newest_first(items: QuerySet[Item], version: ModelVersion) -> Iterator[list[Item]]:
    """Yield in batches what has no score of `version`, each once: what could not be scored is passed over, not tried again."""
    missing = items.filter(photo_deleted_at=None).exclude(predictions__model_version=version).order_by("-id")
    batch = list(missing[:BATCH])
    while batch:
        yield batch
        batch = list(missing.filter(pk__lt=batch[-1].pk)[:BATCH])


def _for_seconds(seconds: float, batches: Iterator[list[Item]]) -> Iterator[list[Item]]:
    """Yield batches until the time is over, and at least one."""
    deadline = time.monotonic() + seconds
    for batch in batches:
        yield batch
        if time.monotonic() > deadline:
            return
