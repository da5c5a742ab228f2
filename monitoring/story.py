"""The story of one item, as a timeline that a person outside the team can follow. Pure: it only arranges rows already read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.models import DecidedBy, Decision, Event, Item, Prediction, Referral, ReferralState, Role
from policies.decide import Reason, Route
from policies.models import PolicyVersion, Reveal
from review.models import Judgement, Label, LabelSource

# Why people are asked.
ASKED = {
    Reason.HUMAN_ONLY: "People decide everything on this line.",
    Reason.SHADOW: "People decide everything; the model only watches.",
    Reason.ASSIST: "People decide, and the model helps.",
    Reason.UNCERTAIN: "The model was not sure enough.",
    Reason.MODEL_UNAVAILABLE: "No model could look at it.",
    Reason.AUDIT: "It was drawn for the random check.",
    Reason.OVERLAP: "A second opinion is wanted.",
    Reason.DISAGREEMENT: "The opinions differ.",
    Reason.GOLD: "Its answer is known: it checks the inspectors.",
    Reason.APPEAL: "Somebody appealed against the decision.",
    Reason.RECALL: "It was called back for another look.",
}
WHO = {
    DecidedBy.MODEL: "the model",
    DecidedBy.PERSON: "a person",
    DecidedBy.FAIL_SAFE: "the fail-safe",
    DecidedBy.IMPORT: "whoever labelled it before it came here",
}
# Events that no row of their own tells about.
TOLD_BY_EVENTS = {
    "item.held": "Held",
    "item.reopened": "Decision taken back",
    "decision.confirmed": "Decision confirmed",
    "photo.deleted": "The photo was deleted",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of the timeline. `icon` is a lucide name; `tone` colours the point."""

    at: datetime
    icon: str
    title: str
    sentences: tuple[str, ...] = ()
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is stored about an item. While the reviewer must not see the prediction, only what cannot tell it is in here."""

    item: Item
    names: Mapping[str, str]
    negative: str
    predictions: Sequence[Prediction] = ()
    referrals: Sequence[Referral] = ()
    judgements: Sequence[Judgement] = ()
    decisions: Sequence[Decision] = ()
    labels: Sequence[Label] = ()
    events: Sequence[Event] = ()
    # Why the policy routed the item as it did, a sentence each.
    why: Sequence[str] = ()
    # Who reads it may be asked to judge the item: why people are asked, and what was noted, may tell what the model said.
    blind: bool = False


def timeline(rows: Rows) -> list[Entry]:
    """Return the entries, oldest first; of one moment, in the order of the road."""
    entries = [_arrival(rows.item)]
    entries += [_prediction(row, rows) for row in rows.predictions]
    if rows.why:
        # The rest of the reasons stands beside the timeline, with the probabilities.
        entries.append(_policy(rows.item, rows.why[:1]))
    entries += [_decision(row, rows) for row in rows.decisions if row.decided_by == DecidedBy.MODEL]
    for referral in rows.referrals:
        entries += _referral(referral, rows)
    entries += [_judgement(row, rows) for row in rows.judgements]
    entries += [_decision(row, rows) for row in rows.decisions if row.decided_by != DecidedBy.MODEL]
    entries += [_label(row, rows) for row in rows.labels]
    entries += [_event(row, rows) for row in rows.events if row.kind in TOLD_BY_EVENTS]
    return sorted(entries, key=lambda entry: entry.at)


def answer_name(key: str, names: Mapping[str, str]) -> str:
    """Return what an answer is called on the pages."""
    if key == PolicyVersion.HOLD:
        return "Hold"
    return names.get(key, key) or "Unsure"


def _tone(answer: str, rows: Rows) -> str:
    return {"": "warn", rows.negative: "good"}.get(answer, "bad")


def _arrival(item: Item) -> Entry:
    name = f" as {item.external_id}" if item.external_id else ""
    size = f"{item.width} by {item.height} pixels, {max(1, item.media_bytes // 1024)} KB"
    return Entry(item.received_at, "package-open", f"Arrived{name}", (f"Sent by {item.source}. {size}.",), "info")


def _prediction(row: Prediction, rows: Rows) -> Entry:
    who = row.model_version.name if row.model_version else "the caller's own model"
    said = f"{answer_name(row.answer, rows.names)} with a probability of {row.score * 100:.1f} %"
    took = f" It took {row.latency_ms:.0f} ms." if row.latency_ms is not None else ""
    if row.role == Role.CHALLENGER:
        return Entry(
            row.created_at,
            "flask-conical",
            f"The challenger {who} looked too",
            (f"It said {said}; nothing follows from it.{took}",),
        )
    return Entry(
        row.created_at,
        "scan-search",
        f"The model looked: {answer_name(row.answer, rows.names)}",
        (f"{who} said {said}.{took}",),
    )


def _policy(item: Item, why: Sequence[str]) -> Entry:
    title = "The policy let the model decide" if item.route == Route.AUTOMATE else "The policy sent it to a person"
    return Entry(item.received_at, "waypoints", title, tuple(why), "info")


def _decision(row: Decision, rows: Rows) -> Entry:
    answer = answer_name(row.answer, rows.names)
    who = row.user.username if row.user else WHO[DecidedBy(row.decided_by)]
    sentence = f"By {who}, under policy version {row.policy.number}."
    if row.number > 1 and row.number != rows.decisions[0].number:
        sentence += " It takes the place of the decision before, which stays on record."
    return Entry(row.created_at, "gavel", f"Decided: {answer}", (sentence,), _tone(row.answer, rows))


def _referral(row: Referral, rows: Rows) -> list[Entry]:
    untold = rows.blind and row.reason in {Reason.UNCERTAIN, Reason.ASSIST}
    sentences = ["People are asked." if untold else ASKED.get(Reason(row.reason), "People are asked.")]
    never = row.blind or row.line.reveal == Reveal.BLIND
    sentences.append("They judge without seeing what the model said." if never else "They may see what the model said.")
    if row.wanted > 1:
        sentences.append(f"{row.wanted} judgements are wanted.")
    if row.note and not rows.blind:
        sentences.append(f"Note: {row.note}")
    entries = [Entry(row.created_at, "users-round", "People were asked", tuple(sentences), "warn")]
    if row.state == ReferralState.CANCELLED and row.settled_at:
        entries.append(Entry(row.settled_at, "circle-slash", "People are no longer asked"))
    return entries


def _judgement(row: Judgement, rows: Rows) -> Entry:
    corrected = " again, correcting the answer before" if row.supersedes_id else ""
    title = f"{row.reviewer.username} judged{corrected}: {answer_name(row.answer, rows.names)}"
    seen = "after seeing what the model said" if row.saw_prediction else "without seeing what the model said"
    sentences = [f"{row.active_ms / 1000:.1f} s in front of it, {seen}."]
    if row.regions:
        sentences.append(f"Marked {len(row.regions)} {'place' if len(row.regions) == 1 else 'places'}.")
    if row.comment:
        sentences.append(f"“{row.comment}”")
    return Entry(row.created_at, "eye", title, tuple(sentences), _tone(row.answer, rows))


def _label(row: Label, rows: Rows) -> Entry:
    came = (
        "It was imported with this label."
        if row.source == LabelSource.IMPORT
        else "From now on this is the truth about the item."
    )
    blind = "It may judge models: nobody had seen a prediction." if row.blind else "It trains models and does not judge them."
    return Entry(row.created_at, "tag", f"Label: {answer_name(row.answer, rows.names)}", (came, blind))


def _event(row: Event, rows: Rows) -> Entry:
    sentences = {
        "item.held": "Nobody decided in time. The policy says hold: it waits, and nothing passed.",
        "item.reopened": "It waits for people again.",
        "photo.deleted": f"{row.reason} Its digest, the decision and the statistics stay.",
        "decision.confirmed": f"{row.actor.partition(':')[2]} gave the same answer: {answer_name(row.to_state, rows.names)}.",
    }
    return Entry(row.at, "history", TOLD_BY_EVENTS[row.kind], (sentences[row.kind],))
