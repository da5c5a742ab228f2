"""Alarms and recalls inside other pages: the banner, and the list of recalls that wait."""

from __future__ import annotations

from typing import Any

from django import template

from monitoring import alarm_words
from monitoring.models import Alarm
from monitoring.selectors.alarms import open_recalls_of, unseen_alarms
from monitoring.selectors.policies import classes_of, names_of
from policies.models import Line

register = template.Library()
# Recalls shown inside another page; the others are on the guardrails' page.
WAITING = 5

register.filter("watch_title", alarm_words.watch_title)
register.filter("mode_before", alarm_words.mode_before)
register.filter("mode_after", alarm_words.mode_after)


@register.filter
def alarm_says(alarm: Alarm) -> str:
    """Return what was seen in a few words."""
    return str(alarm.evidence.get("words", ""))


@register.inclusion_tag("monitoring/_alarms.html")
def alarm_banner(line: Line | None = None) -> dict[str, Any]:
    """Show the alarms that nobody has seen, with one query. For managers: the page asks for their role."""
    return {"alarms": unseen_alarms(line)}


@register.inclusion_tag("monitoring/_recalls.html")
def waiting_recalls(line: Line) -> dict[str, Any]:
    """Show the recalls that wait for a manager, with one query, and one for the names of classes where there are some."""
    recalls = open_recalls_of(line)
    names = names_of(classes_of(line)) if recalls else {}
    return {"recalls": recalls[:WAITING], "more": len(recalls[WAITING:]), "line": line, "names": names}
