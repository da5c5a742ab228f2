"""When a line's model is trained again by itself: after so many labels, or after so many hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet

from policies.models import Line
from review.models import DatasetVersion, Label, LabelSource, TrainingRun


def lines_to_watch() -> QuerySet[Line]:
    """Return the lines that have a schedule or a label count set."""
    return Line.objects.filter(Q(retrain_after_labels__gt=0) | Q(retrain_after_hours__gt=0), retired_at=None)


def due_reason(line: Line, *, now: datetime) -> str | None:
    """Return why the line should be trained now, or None where it should not."""
    last = TrainingRun.objects.filter(line=line).order_by("-id").first()
    if last is not None and last.ended_at is None:
        return None
    # Counted by place in the feed, so that a correction counts once and a withdrawal not at all.
    new = Label.standing.filter(line=line, source=LabelSource.JUDGEMENT).exclude(answer="")
    frozen = DatasetVersion.objects.filter(line=line, training_runs__isnull=False).aggregate(last=Max("last_sequence"))["last"]
    if frozen is not None:
        new = new.filter(sequence__gt=frozen)
    if last is not None:
        # A run that failed has frozen nothing; the same labels would only fail again.
        new = new.filter(created_at__gt=last.created_at)
    count = new.count()
    if line.retrain_after_labels and count >= line.retrain_after_labels:
        return f"{count} new label{'' if count == 1 else 's'}"
    waited = last is None or now - last.created_at >= timedelta(hours=line.retrain_after_hours)
    if line.retrain_after_hours and count and waited:
        return f"{line.retrain_after_hours} hours since the last training"
    return None
