"""What an alarm, a guardrail and a recall are called on the pages. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.differences import title
from monitoring.models import Alarm, Watch
from policies.models import LimitForm
from policies.modes import Mode


@dataclass(frozen=True, slots=True)
class WatchWords:
    """A guardrail in words: its name, what its level is, and what it does."""

    title: str
    level: str
    note: str


WATCHES = {
    Watch.UNAVAILABLE: WatchWords(
        "The model gives no answer",
        "Above this share of the last 200 items",
        "These items go to people anyway. The alarm waits until more than the level is beyond chance.",
    ),
    Watch.DRIFT: WatchWords(
        "Photos unlike before",
        "Chance of a false alarm",
        "Brightness, contrast, sharpness and score of the last 200 items against 800 that stand for how it was when the "
        "champion was certified or deployed. What was certified on those need not hold on photos unlike them.",
    ),
    Watch.QUEUE: WatchWords(
        "The queue is late",
        "Above this share of the open referrals",
        "Counts those past their due time, from five on. People being slow never lets anything pass.",
    ),
    Watch.AGREEMENT: WatchWords(
        "Model and people disagree in shadow",
        "Below this share of the last 200 items",
        "The alarm waits until less than the level is beyond chance. In shadow the model decides nothing.",
    ),
}


def watch_title(alarm: Alarm) -> str:
    """Return what an alarm is about, in a few words."""
    if alarm.watch != Watch.ERRORS:
        return WATCHES[Watch(alarm.watch)].title
    evidence = alarm.evidence
    if alarm.form == LimitForm.OVERKILL:
        return f"Too many {evidence['name']} rejected" if evidence["negative"] else f"Too many {evidence['name']} missed"
    return "Too many escapes" if evidence["negative"] else f"Too many wrong decisions for {evidence['name']}"


def mode_before(alarm: Alarm) -> str:
    """Return the title of the notch at which the line stood."""
    return title(Mode(alarm.policy.mode))


def mode_after(alarm: Alarm) -> str:
    """Return the title of the notch to which the alarm turned the line, empty where it only told people."""
    return title(Mode(alarm.demoted_to.mode)) if alarm.demoted_to else ""
