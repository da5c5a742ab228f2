"""Which guardrails a line has besides its audited errors, and setting them: the one home of these rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from gateway.events import actor_of, event
from gateway.lines import change_line
from monitoring.models import Action, Guardrail, Watch
from policies.locks import hold_line
from policies.models import Line


@dataclass(frozen=True, slots=True)
class Setting:
    """What a guardrail is set to."""

    action: Action
    level: float


# What a new line starts with. Only photos unlike those that were certified say by themselves that a promise may no longer
# hold; the others are for people to hear of: items without an answer, and items in a late queue, are with people already.
DEFAULTS: Mapping[Watch, Setting] = {
    Watch.UNAVAILABLE: Setting(Action.NOTIFY, 0.05),
    Watch.DRIFT: Setting(Action.DEMOTE, 0.01),
    Watch.QUEUE: Setting(Action.NOTIFY, 0.25),
    Watch.AGREEMENT: Setting(Action.NOTIFY, 0.8),
}
# In shadow the model decides nothing, so there is nothing to turn down.
ONLY_NOTIFIES = frozenset({Watch.AGREEMENT})


def defaults(line: Line) -> dict[Watch, Guardrail]:
    """Return the line's guardrails in the order of DEFAULTS, and make those that nobody has set yet."""
    found = {row.watch: row for row in Guardrail.objects.filter(line=line)}
    missing = [watch for watch in DEFAULTS if watch not in found]
    if missing:
        Guardrail.objects.bulk_create(
            (
                Guardrail(line=line, watch=watch, action=DEFAULTS[watch].action, level=DEFAULTS[watch].level)
                for watch in missing
            ),
            # Two who look first at the same moment make them once.
            ignore_conflicts=True,
        )
        found = {row.watch: row for row in Guardrail.objects.filter(line=line)}
    return {watch: found[watch] for watch in DEFAULTS}


def _row(line: Line, watch: Watch) -> Guardrail:
    return Guardrail(line=line, watch=watch, action=DEFAULTS[watch].action, level=DEFAULTS[watch].level)


@transaction.atomic
def set_guardrails(line: Line, settings: Mapping[Watch, Setting], *, alpha: float, by: User, now: datetime) -> bool:
    """Set the line's guardrails and its alpha; False where nothing differs. The settings were checked at the door."""
    hold_line(line)
    present = defaults(line)
    changed = {
        watch: setting
        for watch, setting in settings.items()
        if (present[watch].action, present[watch].level) != (setting.action, setting.level)
    }
    for watch, setting in changed.items():
        Guardrail.objects.filter(line=line, watch=watch).update(action=setting.action, level=setting.level)
    # The line's own columns have their home in the gateway, which leaves the event.
    moved = change_line(line, settings={"alpha": alpha}, book={}, by=by, now=now)
    if changed:
        was = {watch: [present[watch].action, present[watch].level] for watch in changed}
        to = {watch: [setting.action.value, setting.level] for watch, setting in changed.items()}
        data = {"from": was, "to": to}
        event("guardrail.changed", line=line, actor=actor_of(by), now=now, data=data).save(force_insert=True)
    return bool(changed) or moved
