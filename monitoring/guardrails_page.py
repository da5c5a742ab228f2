"""The guardrails' page as its template takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.forms import BoundField

from monitoring.alarm_words import WATCHES, WatchWords
from monitoring.alarms import can_be_lowered
from monitoring.charts.evidence import EvidenceChart, evidence_chart
from monitoring.error_watch import error_words, watched_errors
from monitoring.guarding import champion_of
from monitoring.guardrail_forms import GuardrailsForm, guardrails_form
from monitoring.guardrails import defaults
from monitoring.intervals import Share, share
from monitoring.models import Alarm, Watch
from monitoring.other_watches import last_alarms, readings
from monitoring.selectors.alarms import alarms_of, recalls_of
from monitoring.selectors.audited_decisions import Stream, anchor_of
from monitoring.selectors.policies import classes_of, current, names_of
from monitoring.selectors.watches import Reading
from monitoring.stream_evidence import Evidence
from policies.models import LimitForm, Line


@dataclass(frozen=True, slots=True)
class ErrorCard:
    """One limit under watch."""

    stream: Stream
    evidence: Evidence
    title: str
    words: str
    share: Share
    # What n counts.
    of: str
    chart: EvidenceChart


@dataclass(frozen=True, slots=True)
class RailRow:
    """One of the other guardrails, with what it sees now; None where the present mode gives it nothing to see."""

    watch: Watch
    words: WatchWords
    reading: Reading | None
    last: Alarm | None
    action: BoundField
    level: BoundField


def page_context(line: Line, now: datetime, form: GuardrailsForm | None = None) -> dict[str, Any]:
    """Read and arrange everything; `form` is what somebody had set when it was refused."""
    policy, champion, told, rails = current(line), champion_of(line), last_alarms(line), defaults(line)
    shown = form or guardrails_form(line, rails)
    seen = {rail.watch: reading for rail, reading in readings(line, policy, champion, told, now)}
    anchor = anchor_of(line)
    return {
        "line": line,
        "policy": policy,
        "watching": can_be_lowered(policy),
        "anchor": anchor,
        "cards": [_card(stream, found) for stream, found in watched_errors(line, anchor)],
        "rails": [
            RailRow(watch, WATCHES[watch], seen.get(watch), told.get(watch), shown[f"action-{watch}"], shown[f"level-{watch}"])
            for watch in rails
        ],
        "form": shown,
        "alarms": alarms_of(line),
        "recalls": recalls_of(line),
        "names": names_of(classes_of(line)),
        "guardrails_page": True,
    }


def _card(stream: Stream, found: Evidence) -> ErrorCard:
    escape = stream.form == LimitForm.ESCAPE
    return ErrorCard(
        stream,
        found,
        title=f"Decided as {stream.name} and is not" if escape else f"Is {stream.name} and decided otherwise",
        words=error_words(stream, found),
        share=share(found.k, found.n),
        of=f"audited decisions for {stream.name}" if escape else f"audited items that are {stream.name}",
        chart=evidence_chart(found.points, found.line, found.alarm_at),
    )
