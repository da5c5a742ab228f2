"""What the item page shows, read with a constant number of queries; for a blind reviewer less is read, not less shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from gateway.explanations import explain
from gateway.models import DecidedBy, Decision, Event, Item, Prediction, Referral, Role
from gateway.roles import roles_of
from gateway.visibility import hides_prediction, hiding_referrals
from monitoring.models import KnownTruth
from monitoring.selectors.policies import classes_of, names_of, negative_of
from monitoring.story import Entry, Rows, answer_name, timeline
from policies.models import LabelClass
from review.models import Judgement, Label


@dataclass(frozen=True, slots=True)
class ItemStory:
    """An item with its timeline. Where `hidden`, prediction, answer and labels are not in here at all."""

    item: Item
    classes: list[LabelClass]
    hidden: bool
    entries: list[Entry]
    prediction: Prediction | None
    answer: str
    answer_key: str
    decided_by: str
    # What the demo knows, for managers.
    truth: str
    # Why it went where it went, a sentence each.
    why: tuple[str, ...]
    # Why the photo is gone, where it is.
    photo_why: str


def item_story(item_id: UUID, user: User) -> ItemStory | None:
    """Return the story that this user may read; None where there is no such item."""
    item = Item.objects.select_related("line", "policy").filter(pk=item_id).first()
    if item is None:
        return None
    hidden = hides_prediction(user, item)
    classes = classes_of(item.line)
    rows = _blind_rows(item, classes) if hidden else _all_rows(item, classes)
    champion = next((row for row in rows.predictions if row.role == Role.CHAMPION), None)
    return ItemStory(
        item=item,
        classes=classes,
        hidden=hidden,
        entries=timeline(rows),
        prediction=champion,
        answer="" if hidden or not item.answer else answer_name(item.answer, rows.names),
        answer_key="" if hidden else item.answer,
        decided_by="" if hidden or not item.decided_by else DecidedBy(item.decided_by).label,
        truth="" if hidden or not roles_of(user).manager else _truth(item, rows.names),
        why=tuple(rows.why),
        photo_why=next((row.reason for row in rows.events if row.kind == "photo.deleted"), ""),
    )


def _all_rows(item: Item, classes: list[LabelClass]) -> Rows:
    said = Prediction.objects.filter(item=item).select_related("model_version")
    predictions = list(said.defer("model_version__card", "model_version__metrics").order_by("role", "id"))
    champion = next((row for row in predictions if row.role == Role.CHAMPION), None)
    return Rows(
        item=item,
        names=names_of(classes),
        negative=negative_of(classes),
        predictions=predictions,
        referrals=list(Referral.objects.filter(item=item).select_related("line").order_by("id")),
        judgements=list(Judgement.objects.filter(item=item).select_related("reviewer").order_by("id")),
        decisions=list(Decision.objects.filter(item=item).select_related("user", "policy").order_by("number")),
        labels=list(Label.objects.filter(item=item).order_by("sequence")),
        events=list(Event.objects.filter(item=item).order_by("id")),
        why=explain(item, champion)["sentences"] if item.decided_by != DecidedBy.IMPORT else (),
    )


def _blind_rows(item: Item, classes: list[LabelClass]) -> Rows:
    """Only that the item came, and that people are asked to look at it blind."""
    asked = list(hiding_referrals().filter(item=item).select_related("line").order_by("id"))
    return Rows(item=item, names=names_of(classes), negative=negative_of(classes), referrals=asked, blind=True)


def _truth(item: Item, names: Mapping[str, str]) -> str:
    known = KnownTruth.objects.filter(item=item).first()
    return answer_name(known.truth, names) if known else ""
