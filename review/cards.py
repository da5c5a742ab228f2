"""What the console is told about an item: never more than its reviewer may know."""

from __future__ import annotations

import base64
from typing import Any

from django.urls import reverse

from gateway.models import Prediction, Referral, Role
from policies.decide import Reason
from policies.models import LabelClass, Line
from review.claims import shown_when
from review.models import Claim, Judgement, LabelExample

REASON_WORDS: dict[str, str] = {
    Reason.HUMAN_ONLY: "People judge everything on this line",
    Reason.SHADOW: "People judge everything on this line",
    Reason.ASSIST: "The model's findings are shown",
    Reason.UNCERTAIN: "The model is not sure enough",
    Reason.MODEL_UNAVAILABLE: "No model could look at it",
    Reason.AUDIT: "Drawn by chance, judged without the model",
    Reason.OVERLAP: "Judged by several people",
    Reason.DISAGREEMENT: "Two people disagreed",
    Reason.GOLD: "Drawn by chance, judged without the model",
    Reason.APPEAL: "The decision was doubted",
    Reason.RECALL: "Looked at again",
}

# Words for calibrated probabilities. A percentage would be read as certainty.
BANDS = ((0.98, "Almost certainly"), (0.9, "Very likely"), (0.7, "Probably"), (0.5, "Perhaps"), (0.0, "Most like"))


def cards_json(claims: list[Claim]) -> list[dict[str, Any]]:
    """Return the cards of claims that come with their referrals and items; one query more where predictions show at once."""
    shown = [claim.referral.item_id for claim in claims if shown_when(claim) == "at_once"]
    predictions = {one.item_id: one for one in Prediction.objects.filter(item__in=shown, role=Role.CHAMPION)} if shown else {}
    names = class_names(claims[0].referral.line) if predictions else {}
    return [_card(claim, predictions.get(claim.referral.item_id), names) for claim in claims]


def prediction_json(prediction: Prediction | None, names: dict[str, str]) -> dict[str, Any] | None:
    """Return what a reviewer is shown of a prediction: regions, overlay and words."""
    if prediction is None:
        return None
    heatmap = None
    if prediction.heatmap is not None:
        values = base64.b64encode(bytes(prediction.heatmap)).decode()
        heatmap = {"rows": prediction.heatmap_rows, "columns": prediction.heatmap_columns, "values": values}
    boxes = [{side: region[side] for side in ("label", "x", "y", "width", "height")} for region in prediction.regions]
    return {
        "answer": prediction.answer,
        "words": words(names.get(prediction.answer, prediction.answer), prediction.score),
        "regions": boxes,
        "heatmap": heatmap,
    }


def words(name: str, score: float) -> str:
    """Return the model's answer in words that carry how sure it is."""
    band = next(text for least, text in BANDS if score >= least)
    return f"{band}: {name.lower()}"


def judgement_json(judgement: Judgement, *, revisable: bool) -> dict[str, Any]:
    """Return one of the reviewer's own last answers."""
    return {
        "judgement": judgement.pk,
        "item": str(judgement.item_id),
        "photo": reverse("item-photo", args=[judgement.item_id]),
        "thumbnail": reverse("item-thumbnail", args=[judgement.item_id]),
        "width": judgement.item.width,
        "height": judgement.item.height,
        "external_id": judgement.item.external_id,
        "answer": judgement.answer,
        "at": judgement.created_at.isoformat(),
        "regions": judgement.regions,
        "revisable": revisable,
    }


def label_book(line: Line) -> list[dict[str, Any]]:
    """Return the line's classes with their entries in the label book, in two queries."""
    classes = list(line.classes.order_by("position"))
    pictures: dict[int, list[dict[str, Any]]] = {entry.pk: [] for entry in classes}
    for picture in LabelExample.objects.filter(label_class__in=classes):
        url = reverse("item-thumbnail", args=[picture.item_id])
        pictures[picture.label_class_id].append({"url": url, "caption": picture.caption, "counter": picture.counter})
    return [_entry(entry, pictures[entry.pk]) for entry in classes]


def _entry(entry: LabelClass, pictures: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "key": entry.key,
        "name": entry.name,
        "negative": entry.is_negative,
        "hotkey": entry.hotkey,
        "definition": entry.definition,
        "examples": entry.examples.splitlines(),
        "counter_examples": entry.counter_examples.splitlines(),
        "pictures": pictures,
    }


def class_names(line: Line) -> dict[str, str]:
    """Return the names of the line's classes by their keys."""
    return dict(line.classes.values_list("key", "name"))


def _told(referral: Referral, reveal: str) -> str:
    """Return the reason that the reviewer may know: that the model was not sure is something that the model said."""
    return "asked" if reveal != "at_once" and referral.reason in {Reason.UNCERTAIN, Reason.ASSIST} else referral.reason


def _card(claim: Claim, prediction: Prediction | None, names: dict[str, str]) -> dict[str, Any]:
    referral, item = claim.referral, claim.referral.item
    reveal = shown_when(claim)
    card = {
        "claim": claim.pk,
        "referral": referral.pk,
        "item": str(item.pk),
        "photo": reverse("item-photo", args=[item.pk]),
        "width": item.width,
        "height": item.height,
        "external_id": item.external_id,
        "metadata": item.metadata,
        "received_at": item.received_at.isoformat(),
        "due_at": referral.due_at.isoformat() if referral.due_at else None,
        "expires_at": claim.expires_at.isoformat(),
        "reason": _told(referral, reveal),
        "reason_words": REASON_WORDS.get(_told(referral, reveal), "A person is asked"),
        # What somebody wrote about a decision may say what the model had decided.
        "note": referral.note if reveal == "at_once" else "",
        "blind": reveal == "never",
        "reveal": reveal,
    }
    if reveal == "at_once":
        card["prediction"] = prediction_json(prediction, names)
    return card
