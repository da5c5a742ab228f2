"""Recalls: a wrong decision of a model was found, and with it come its siblings. The one home of their moves."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from gateway.errors import BadField, MovedMeanwhile
from gateway.events import actor_of, event
from gateway.models import DecidedBy, Decision
from gateway.referring import refer_all
from monitoring.models import Recall, RecallState
from monitoring.selectors.siblings import last_clean, nearest
from policies.decide import Reason
from policies.models import Line
from review.models import Label, LabelFeed

# Labels looked back over for errors that have no recall yet: what a worker that was away may have missed.
RECENT = 10_000
# Items that one press may send to people.
MOST = 500


def open_recalls(line: Line, *, now: datetime) -> list[Recall]:
    """Open a recall for each wrong decision of a model that a blind judgement superseded and that has none yet.

    It may run twice at once and be lost: what one run does not open the next one does, and none is opened twice. What a recall
    itself finds belongs to that recall and opens no other.
    """
    opened = [_open(decision, now) for decision in _found_wrong(line)]
    return [recall for recall in opened if recall is not None]


@transaction.atomic
def send(recall: Recall, count: int, *, by: User, now: datetime) -> int:
    """Have people look blind at the `count` nearest candidates, and return how many there were; more can be sent later.

    Raises BadField for a count that is not 1 to MOST, MovedMeanwhile where somebody else handled the recall in this moment,
    AlreadyOpen where another recall sends some of them.
    """
    if not 1 <= count <= MOST:
        raise BadField(f"Send between 1 and {MOST} items at a time.")
    chosen = [sibling.item for sibling in nearest(recall)[:count]]
    # The move comes first: whoever sends at the same moment fails before anything is asked.
    _move(recall, state=RecallState.SENT, sent=recall.sent + len(chosen), by=by, now=now)
    name = recall.item.external_id or str(recall.item_id)
    note = f"Recall: {name} was decided as {recall.label} and is {recall.truth}. This one is like it."
    refer_all(chosen, Reason.RECALL, blind=True, actor=actor_of(by), now=now, note=note)
    _leave_event("recall.sent", recall, actor_of(by), now, data={"items": len(chosen)})
    return len(chosen)


@transaction.atomic
def dismiss(recall: Recall, *, by: User, reason: str, now: datetime) -> None:
    """Leave the siblings as they are, with a reason. Raises BadField without one, MovedMeanwhile where it is not open."""
    if not reason.strip():
        raise BadField("Say why the others may stay as they are.")
    if recall.state != RecallState.OPEN:
        raise MovedMeanwhile("This recall is no longer open.")
    _move(recall, state=RecallState.DISMISSED, sent=recall.sent, by=by, now=now, note=reason.strip()[:500])
    _leave_event("recall.dismissed", recall, actor_of(by), now, reason=reason.strip())


def _found_wrong(line: Line) -> QuerySet[Decision]:
    """Return the first decisions, by the model, that people's blind judgement has superseded, oldest first."""
    last = LabelFeed.objects.filter(line=line).values_list("last_sequence", flat=True).first() or 0
    blind = Label.standing.filter(line=line, blind=True, sequence__gt=last - RECENT).exclude(answer="")
    by_recall = Decision.objects.filter(item=OuterRef("item"), number__gt=1, reason=Reason.RECALL.value)
    return (
        Decision.objects.filter(
            number=1,
            decided_by=DecidedBy.MODEL,
            item__in=blind.values("item_id"),
            item__decided_by=DecidedBy.PERSON,
            item__recall=None,
        )
        .exclude(answer=F("item__answer"))
        .exclude(Exists(by_recall))
        .select_related("item")
        .order_by("item_id")
    )


def _open(decision: Decision, now: datetime) -> Recall | None:
    """Open the recall, or return None where another worker did in this moment."""
    item, since = decision.item, last_clean(decision.item, decision.answer, decision.model_version_id)
    recall = Recall(
        line_id=item.line_id,
        item=item,
        label=decision.answer,
        truth=item.answer,
        model_version_id=decision.model_version_id,
        since=since,
        until=now,
        created_at=now,
    )
    try:
        with transaction.atomic():
            recall.save(force_insert=True)
            _leave_event("recall.opened", recall, "system:recall", now)
    except IntegrityError:
        return None
    return recall


def _move(recall: Recall, *, state: RecallState, sent: int, by: User, now: datetime, note: str = "") -> None:
    """Compare-and-set on the recall's state and the number sent: more may be sent, but nobody handles it twice at once."""
    if recall.state == RecallState.DISMISSED:
        raise MovedMeanwhile("This recall was dismissed.")
    columns = {"state": state, "sent": sent, "handled_by": by, "handled_at": now, "note": note}
    if Recall.objects.filter(pk=recall.pk, state=recall.state, sent=recall.sent).update(**columns) != 1:
        raise MovedMeanwhile("Somebody else handled this recall in this moment.")
    for name, value in columns.items():
        setattr(recall, name, value)


def _leave_event(
    kind: str, recall: Recall, actor: str, now: datetime, *, reason: str = "", data: dict[str, object] | None = None
) -> None:
    event(
        kind,
        item=recall.item,
        actor=actor,
        now=now,
        from_state=recall.label,
        to_state=recall.truth,
        reason=reason,
        data={"recall": recall.pk, **(data or {})},
    ).save(force_insert=True)
