"""Acting on what a guardrail saw: the alarm, the notch down and the event in one transaction. It never raises automation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway.change_control import tell_change
from gateway.events import actor_of, event
from inference.models import ModelVersion
from monitoring.findings import Finding
from monitoring.models import Action, Alarm
from policies.changes import change_policy, draft_of
from policies.models import Line, PolicyVersion
from policies.modes import Mode

ACTOR = "system:guardrail"
# One notch at a time. Below, the model decides nothing and there is nothing to turn down.
NEXT_DOWN: Mapping[Mode, Mode] = {Mode.FULL: Mode.PARTIAL, Mode.PARTIAL: Mode.ASSIST}


class Overtaken(Exception):
    """Somebody else acted on the same evidence in this moment."""


@transaction.atomic
def raise_alarms(
    line: Line,
    policy: PolicyVersion,
    findings: Sequence[tuple[Finding, Action]],
    *,
    champion: ModelVersion | None,
    now: datetime,
) -> list[Alarm]:
    """Write an alarm for each finding, and turn the dial one notch down where one of them asks for that.

    Several findings of the same look turn it down once: what they saw was done under the same policy. Raises StalePolicy
    where `policy` is no longer in force and Overtaken where an alarm on the same evidence is there; then nothing was written.
    """
    asking = [finding for finding, action in findings if action is Action.DEMOTE]
    lower = _turn_down(line, policy, asking[0], now=now) if asking and can_be_lowered(policy) else None
    return [
        _write(line, policy, finding, lower if action is Action.DEMOTE else None, champion, now) for finding, action in findings
    ]


def can_be_lowered(policy: PolicyVersion) -> bool:
    """Whether the model decides something under this policy that could be taken from it."""
    return Mode(policy.mode) in NEXT_DOWN


@transaction.atomic
def see(alarm: Alarm, *, by: User, now: datetime) -> bool:
    """Note who has seen the alarm; False where somebody had before."""
    if Alarm.objects.filter(pk=alarm.pk, seen_at=None).update(seen_by=by, seen_at=now) != 1:
        return False
    data = {"alarm": alarm.pk}
    event("guardrail.seen", line=alarm.line, actor=actor_of(by), now=now, data=data).save(force_insert=True)
    return True


def _turn_down(line: Line, policy: PolicyVersion, finding: Finding, *, now: datetime) -> PolicyVersion:
    draft = replace(draft_of(policy), mode=NEXT_DOWN[Mode(policy.mode)])
    reason = f"Guardrail: {finding.words}"
    lower = change_policy(line, draft, expected=policy.number, by=None, reason=reason, now=now)
    tell_change(lower, actor=ACTOR, now=now)
    return lower


def _write(
    line: Line,
    policy: PolicyVersion,
    finding: Finding,
    lower: PolicyVersion | None,
    champion: ModelVersion | None,
    now: datetime,
) -> Alarm:
    try:
        with transaction.atomic():
            alarm = Alarm.objects.create(
                line=line,
                watch=finding.watch,
                label=finding.label,
                form=finding.form,
                since=finding.since,
                action=Action.DEMOTE if lower else Action.NOTIFY,
                policy=policy,
                demoted_to=lower,
                model_version=champion,
                evidence={"words": finding.words, **finding.evidence},
                at=now,
            )
    except IntegrityError:
        raise Overtaken from None
    event(
        "guardrail.alarm",
        line=line,
        actor=ACTOR,
        now=now,
        from_state=policy.mode,
        to_state=lower.mode if lower else policy.mode,
        reason=finding.words,
        data={"alarm": alarm.pk, "watch": finding.watch.value, "label": finding.label, "form": finding.form},
    ).save(force_insert=True)
    return alarm
