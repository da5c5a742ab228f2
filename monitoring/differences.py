"""What changed from one policy to the next, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from policies.changes import Draft
from policies.models import PolicyVersion
from policies.modes import NOTCHES, Mode

Names = Mapping[str, str]


def changes_in_words(before: Draft, after: Draft, names: Names) -> list[str]:
    """Return a sentence for each difference; none where the two are alike. `names` gives each class its name."""
    words = []
    if before.mode is not after.mode:
        direction = "more" if after.mode.level > before.mode.level else "less"
        words.append(f"{title(before.mode)} → {title(after.mode)} ({direction} automation)")
    words += _thresholds(before, after, names)
    if before.audit_rate != after.audit_rate:
        words.append(f"Audit rate {percent(before.audit_rate)} → {percent(after.audit_rate)}")
    if before.overlap != after.overlap:
        words.append(f"Judgements an audited item gets {before.overlap} → {after.overlap}")
    if before.due_seconds != after.due_seconds:
        words.append(f"Due time {due_in_words(before.due_seconds)} → {due_in_words(after.due_seconds)}")
    if before.fail_safe != after.fail_safe:
        words.append(f"Fail-safe {fail_safe_name(before.fail_safe, names)} → {fail_safe_name(after.fail_safe, names)}")
    return words


def title(mode: Mode) -> str:
    """Return the notch's title."""
    return NOTCHES[mode.level].title


def percent(value: float) -> str:
    """Return a share as a percentage with as many digits as it has, at most four."""
    return f"{round(value * 100, 4):g} %"


def due_in_words(seconds: int) -> str:
    """Return a due time with its largest whole unit."""
    if not seconds:
        return "no limit"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def fail_safe_name(key: str, names: Names) -> str:
    """Return what happens to an item that nobody decided in time."""
    return "hold" if key == PolicyVersion.HOLD else names.get(key, key)


def _thresholds(before: Draft, after: Draft, names: Names) -> list[str]:
    keys = [key for key in names if key in before.thresholds or key in after.thresholds]
    return [
        f"Threshold of {names[key]} {_threshold(before, key)} → {_threshold(after, key)}"
        for key in keys
        if before.thresholds.get(key) != after.thresholds.get(key)
    ]


def _threshold(draft: Draft, key: str) -> str:
    return percent(draft.thresholds[key]) if key in draft.thresholds else "never alone"
