"""What the worker does for review. Every task can run twice and be lost once without harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from gateway.background import wake
from policies.models import Line
from review import claims, left_pages, retention
from review.errors import TrainingRuns
from review.models import TrainingRun, TrainingState
from review.schedule import due_reason, lines_to_watch
from review.training import request_training, training_runs, waiting_runs, work_on

# Items of a line that lose their photos in one run: the worker has other things to do, and the next run is minutes away.
MOST_PHOTOS = 5000


@shared_task
def run_training(run_id: int) -> str:
    """Do one training run to its end. Another one at the same time would take the threads that deadlines need: it waits."""
    if training_runs(now=timezone.now()).exclude(pk=run_id).exists():
        return TrainingState.QUEUED
    return work_on(TrainingRun.objects.select_related("line", "requested_by").get(pk=run_id)).state


@shared_task
def train_what_is_due() -> int:
    """Start what schedules and label counts ask for, and take up runs that nobody works on."""
    now = timezone.now()
    for line in lines_to_watch():
        reason = due_reason(line, now=now)
        if reason is not None:
            try:
                request_training(line, by=None, reason=reason, now=now)
            except TrainingRuns:
                continue  # a manager pressed the button in this moment
    waiting = waiting_runs(now=now)
    for run in waiting[:1]:
        wake(run_training, run.pk)
    return len(waiting)


@shared_task
def expire_claims() -> int:
    """Give back what people who are gone had claimed, and forget the pages that they left."""
    now = timezone.now()
    expired = claims.expire(now=now)
    left_pages.forget(now=now)
    return expired


@shared_task
def delete_old_photos() -> int:
    """Let the photos go that are past their line's days, and remove the bytes that went a while ago; return how many items."""
    now, done = timezone.now(), 0
    for line in Line.objects.exclude(photo_days=None).order_by("pk"):
        done += retention.delete_old(line, now=now, most=MOST_PHOTOS)
    retention.finish(now=now)
    return done


@shared_task
def delete_unwanted_photos() -> int:
    """Let the photos go that came without consent and whose decision is final; return how many items."""
    return retention.delete_unwanted(now=timezone.now(), most=MOST_PHOTOS)
