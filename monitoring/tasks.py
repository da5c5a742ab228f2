"""What the worker does for monitoring. Every task can run twice and be lost once without harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from gateway.background import wake
from gateway.change_control import apply_due
from gateway.webhooks.horizon import settled
from monitoring import guarding, pulse, recalls
from monitoring.candidates import judge_candidates
from monitoring.summing import rest, sum_up
from policies.models import Line


@shared_task
def watch_guardrails() -> int:
    """Have every line watched, each by a task of its own: what goes wrong with one must not leave the others unwatched."""
    lines = list(Line.objects.filter(retired_at=None).values_list("pk", flat=True))
    for line_id in lines:
        wake(watch_line, line_id)
    return len(lines)


@shared_task
def watch_line(line_id: int) -> int:
    """Look at one line's guardrails and return the number of alarms."""
    return len(guarding.watch(Line.objects.get(pk=line_id), now=timezone.now()))


@shared_task
def pulse_once() -> None:
    """Show that a worker lives and takes messages."""
    pulse.beat()


@shared_task
def open_recalls() -> int:
    """Open a recall for every wrong decision of a model that people found since; return how many."""
    now = timezone.now()
    return sum(len(recalls.open_recalls(line, now=now)) for line in Line.objects.order_by("pk"))


@shared_task
def sum_up_quarters() -> int:
    """Have every line summed up, each by a task of its own: what goes wrong with one must not leave the others behind."""
    event = settled()
    if event is None:
        return 0  # somebody takes long to write: the next run knows more
    lines = list(Line.objects.values_list("pk", flat=True))
    for line_id in lines:
        wake(sum_up_line, line_id, event)
    return len(lines)


@shared_task
def sum_up_line(line_id: int, event: int) -> int:
    """Sum up what arrived on one line, a quarter of an hour at a time, and return how many sums were made."""
    line, begun = Line.objects.get(pk=line_id), timezone.now()
    made = sum_up(line, event=event, now=begun)
    ended = timezone.now()
    rest(line, ended - begun, ended)
    return made


@shared_task
def apply_requests() -> int:
    """Apply the policy changes whose time has come and end those that have expired; return how many moved."""
    return len(apply_due(now=timezone.now()))


@shared_task
def score_candidates() -> int:
    """Let the models that serve a line, and its newest candidate, score past audits, and certify what has done so."""
    now = timezone.now()
    return sum(judge_candidates(line, now=now) for line in Line.objects.filter(retired_at=None).order_by("pk"))
