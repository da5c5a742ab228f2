"""The guardrails besides the audited errors: what each sees now, from where on it counts, and what of it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Max

from gateway.models import Deployment
from monitoring.alarms import can_be_lowered
from monitoring.findings import Finding
from monitoring.guardrails import defaults
from monitoring.models import Action, Alarm, Guardrail, Watch
from monitoring.selectors import watches
from monitoring.selectors.drifting import drift
from monitoring.selectors.policies import classes_of, negative_of
from monitoring.selectors.watches import Reading
from policies.models import Line, PolicyVersion
from policies.modes import Mode

# What goes on is told again after this long, and not before the alarm about it was seen.
REPEAT = timedelta(hours=1)


def readings(
    line: Line, policy: PolicyVersion, champion: Deployment | None, told: Mapping[str, Alarm], now: datetime
) -> list[tuple[Guardrail, Reading]]:
    """Return what each guardrail sees now; those that the present mode gives nothing to see are left out."""
    rails, mode = defaults(line), Mode(policy.mode)
    start = champion.started_at if champion else line.created_at
    begins = {watch: _after(told.get(watch), line.created_at if watch is Watch.QUEUE else start) for watch in rails}
    level = {watch: rail.level for watch, rail in rails.items()}
    found = []
    if mode.runs_model:
        negative = negative_of(classes_of(line))
        found.append(watches.unavailable(line, level[Watch.UNAVAILABLE], begins[Watch.UNAVAILABLE]))
        found.append(drift(line, champion, negative, level[Watch.DRIFT], begins[Watch.DRIFT], now))
    found.append(watches.overdue(line, level[Watch.QUEUE], begins[Watch.QUEUE], now))
    if mode is Mode.SHADOW:
        found.append(watches.agreement(line, level[Watch.AGREEMENT], begins[Watch.AGREEMENT]))
    return [(rails[reading.watch], reading) for reading in found]


def other_findings(
    line: Line, policy: PolicyVersion, champion: Deployment | None, now: datetime
) -> list[tuple[Finding, Action]]:
    """Return what is beyond its level and to be acted on. What would only be told is told once, and again when it goes on."""
    told = last_alarms(line)
    findings = []
    for rail, reading in readings(line, policy, champion, told, now):
        action = Action.DEMOTE if rail.action == Action.DEMOTE and can_be_lowered(policy) else Action.NOTIFY
        if reading.beyond and (action is Action.DEMOTE or _worth_telling(told.get(reading.watch), now)):
            findings.append((Finding(reading.watch, reading.since, reading.words, reading.evidence), action))
    return findings


def last_alarms(line: Line) -> dict[str, Alarm]:
    """Return the newest alarm of each watch, with one query."""
    newest = Alarm.objects.filter(line=line).order_by().values("watch").annotate(newest=Max("pk")).values("newest")
    return {alarm.watch: alarm for alarm in Alarm.objects.filter(pk__in=newest).defer("evidence")}


def _after(last: Alarm | None, begin: datetime) -> datetime:
    """Return the moment behind the last alarm: no later one counts again what one before it counted."""
    return max(begin, last.at + timedelta.resolution) if last else begin


def _worth_telling(last: Alarm | None, now: datetime) -> bool:
    return last is None or (last.seen_at is not None and now - last.at >= REPEAT)
