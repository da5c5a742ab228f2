"""The guardrail: looking at what a line does and acting where it is too much. It only ever takes automation back."""

from __future__ import annotations

from datetime import datetime

from gateway.models import Deployment, Role
from monitoring.alarms import Overtaken, can_be_lowered, raise_alarms
from monitoring.error_watch import error_findings
from monitoring.models import Action, Alarm
from monitoring.other_watches import other_findings
from policies.changes import active_policy
from policies.errors import StalePolicy
from policies.models import Line

# Somebody else acted in between so often that the next look, seconds away, may as well see to it.
ATTEMPTS = 10


def watch(line: Line, *, now: datetime) -> list[Alarm]:
    """Look at the line once and return the alarms that this look raised.

    It may run at any time, as often as anybody likes and several times at once: what two watchers see at the same moment is
    one alarm and one notch. Audited errors are watched where the model decides something. A retired line is not watched.
    """
    for _ in range(ATTEMPTS if line.retired_at is None else 0):
        policy = active_policy(line)
        champion = champion_of(line)
        findings = [(finding, Action.DEMOTE) for finding in error_findings(line)] if can_be_lowered(policy) else []
        findings += other_findings(line, policy, champion, now)
        if not findings:
            return []
        try:
            model = champion.model_version if champion else None
            return raise_alarms(line, policy, findings, champion=model, now=now)
        except (StalePolicy, Overtaken):
            continue  # look again: what is in force now may need no alarm
    return []


def champion_of(line: Line) -> Deployment | None:
    """Return the deployment of the model whose predictions route the line's items."""
    return Deployment.objects.select_related("model_version").filter(line=line, role=Role.CHAMPION, ended_at=None).first()
