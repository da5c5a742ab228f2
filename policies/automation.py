"""Whether a change lets the model decide more, or people look at less. Pure."""

from __future__ import annotations

from policies.changes import Draft
from policies.modes import Mode


def lowers(before: Draft, after: Draft) -> bool:
    """Return whether `after` automates nothing that `before` did not, and oversees no less.

    Such a change needs no approval: waiting for one could only let wrong decisions happen meanwhile.
    """
    return (
        after.mode.level <= before.mode.level
        and _thresholds_hold(before, after)
        and after.audit_rate >= before.audit_rate
        and after.overlap >= before.overlap
        and (after.due_seconds, after.fail_safe) == (before.due_seconds, before.fail_safe)
    )


def _thresholds_hold(before: Draft, after: Draft) -> bool:
    """Thresholds count in `partial` alone; from `full` every threshold is a step down."""
    if after.mode is not Mode.PARTIAL or before.mode is Mode.FULL:
        # Kept for later use they must not sink either, or a rise of the mode would bring them in unseen.
        return after.mode is Mode.PARTIAL or _no_looser(before, after)
    return before.mode is Mode.PARTIAL and _no_looser(before, after)


def _no_looser(before: Draft, after: Draft) -> bool:
    return all(key in before.thresholds and threshold >= before.thresholds[key] for key, threshold in after.thresholds.items())
