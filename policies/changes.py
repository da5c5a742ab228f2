"""The one home of every policy change: page, API, command and guardrail call these functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from math import isfinite

from django.contrib.auth.models import User
from django.db import transaction

from policies.errors import InvalidPolicy, NothingToRollBack, StalePolicy
from policies.locks import change_alone
from policies.models import Line, PolicyVersion
from policies.modes import Mode

# What the column holds; an item's due date must also still be a date.
MOST_DUE_SECONDS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of a policy version before it is one."""

    mode: Mode
    thresholds: Mapping[str, float] = field(default_factory=dict)
    audit_rate: float = 0.05
    overlap: int = 1
    due_seconds: int = 0
    fail_safe: str = PolicyVersion.HOLD


def draft_of(policy: PolicyVersion) -> Draft:
    """Return the values of an existing version, to be changed with `dataclasses.replace`."""
    return Draft(
        mode=Mode(policy.mode),
        thresholds=dict(policy.thresholds),
        audit_rate=policy.audit_rate,
        overlap=policy.overlap,
        due_seconds=policy.due_seconds,
        fail_safe=policy.fail_safe,
    )


def active_policy(line: Line) -> PolicyVersion:
    """Return the policy that rules the line now."""
    return PolicyVersion.objects.get(line=line, superseded_at=None)


def check_draft(draft: Draft, *, classes: Sequence[str], negative: str) -> None:
    """Raise InvalidPolicy with the first thing that is wrong. Pure."""
    for key, threshold in draft.thresholds.items():
        if key not in classes:
            raise InvalidPolicy(f"There is no class {key!r}; the line has {', '.join(classes)}.")
        if not isinstance(threshold, int | float) or not isfinite(threshold) or not 0 < threshold <= 1:
            raise InvalidPolicy(f"The threshold of {key} must be above 0 and at most 1, not {threshold!r}.")
    if not isfinite(draft.audit_rate) or not 0 <= draft.audit_rate <= 1:
        raise InvalidPolicy(f"The audit rate must be between 0 and 1, not {draft.audit_rate!r}.")
    if not 1 <= draft.overlap <= 9:
        raise InvalidPolicy(f"An audited item gets between 1 and 9 judgements, not {draft.overlap}.")
    if draft.due_seconds < 0:
        raise InvalidPolicy("The due time cannot be negative.")
    if draft.due_seconds > MOST_DUE_SECONDS:
        raise InvalidPolicy(f"The due time is at most {MOST_DUE_SECONDS} seconds, not {draft.due_seconds}.")
    if draft.fail_safe == negative:
        raise InvalidPolicy(f"An item that nobody judged must not pass as {negative!r}: choose hold or a defect class.")
    if draft.fail_safe != PolicyVersion.HOLD and draft.fail_safe not in classes:
        raise InvalidPolicy(f"The fail-safe must be hold or a defect class, not {draft.fail_safe!r}.")


def first_policy(line: Line, draft: Draft, *, by: User | None, reason: str, now: datetime) -> PolicyVersion:
    """Give a new line its first policy."""
    check_against(line, draft)
    return PolicyVersion.objects.create(line=line, number=1, created_by=by, reason=reason, created_at=now, **_columns(draft))


@transaction.atomic
def change_policy(
    line: Line,
    draft: Draft,
    *,
    expected: int,
    by: User | None,
    reason: str,
    now: datetime,
    restores: PolicyVersion | None = None,
) -> PolicyVersion:
    """Put `draft` into force from the next item on, as the successor of version `expected`.

    Raises InvalidPolicy, or StalePolicy where another version came into force since the draft was made.
    """
    if not reason.strip():
        raise InvalidPolicy("A change needs a reason.")
    check_against(line, draft)
    change_alone(line)
    current = PolicyVersion.objects.filter(line=line, number=expected, superseded_at=None)
    began = current.values_list("created_at", flat=True).first()
    # `now` was read before: the version that it ends may have begun since, or the clock was set back. Neither may stop a stop.
    now = max(now, began or now)
    if current.update(superseded_at=now) != 1:
        raise StalePolicy(f"Version {expected} is no longer in force. Look at the present policy and try again.")
    return PolicyVersion.objects.create(
        line=line,
        number=expected + 1,
        created_by=by,
        reason=reason.strip()[:500],
        created_at=now,
        restores=restores,
        **_columns(draft),
    )


def roll_back(line: Line, *, expected: int, by: User | None, reason: str, now: datetime) -> PolicyVersion:
    """Return to what was in force before version `expected`, as a new version.

    A rollback of a rollback goes on to the version before: what a version restored counts as its own place in history.
    """
    earlier = version_before(line, expected)
    # What came before may itself have been a rollback; its values are those of the version it restored.
    return change_policy(
        line, draft_of(earlier), expected=expected, by=by, reason=reason, now=now, restores=earlier.restores or earlier
    )


def version_before(line: Line, expected: int) -> PolicyVersion:
    """Return the version that one step back from `expected` leads to. Raises NothingToRollBack at the first."""
    current = PolicyVersion.objects.filter(line=line, number=expected).select_related("restores").first()
    place = current.restores.number if current and current.restores else expected
    earlier = PolicyVersion.objects.filter(line=line, number=place - 1).select_related("restores").first()
    if earlier is None:
        raise NothingToRollBack(f"Version {place} is the first of this line.")
    return earlier


def stop_automation(line: Line, *, by: User | None, reason: str, now: datetime) -> PolicyVersion:
    """The red switch: people decide everything from the next item on. It never fails for being late."""
    while True:
        current = active_policy(line)
        if current.mode == Mode.HUMAN_ONLY:
            return current
        try:
            draft = replace(draft_of(current), mode=Mode.HUMAN_ONLY)
            return change_policy(line, draft, expected=current.number, by=by, reason=reason, now=now)
        except StalePolicy:
            continue  # somebody else changed the policy in this moment; their version is stopped instead


def check_against(line: Line, draft: Draft) -> None:
    """Raise InvalidPolicy where the draft does not fit the line."""
    classes = list(line.classes.order_by("position"))
    negative = next((entry.key for entry in classes if entry.is_negative), "")
    check_draft(draft, classes=[entry.key for entry in classes], negative=negative)


def _columns(draft: Draft) -> dict[str, object]:
    return asdict(draft) | {"mode": draft.mode.value, "thresholds": dict(draft.thresholds)}
