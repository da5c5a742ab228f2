"""The history of a line's policies."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.compiled import Select, number
from monitoring.differences import changes_in_words
from policies.changes import draft_of
from policies.models import LabelClass, Line, PolicyVersion

SHOWN = 100

_classes = Select(lambda: LabelClass.objects.filter(line=number("line")).order_by("position"))
_in_force = Select(
    lambda: (
        PolicyVersion.objects.filter(line=number("line"), superseded_at=None)
        .select_related("created_by", "restores")
        .order_by()
    )
)


@dataclass(frozen=True, slots=True)
class Change:
    """One version, and what it changed in the one before."""

    policy: PolicyVersion
    words: tuple[str, ...]


def classes_of(line: Line) -> list[LabelClass]:
    """Return the line's classes in their order, the negative first."""
    return _classes.all(line=line.pk)


def names_of(classes: list[LabelClass]) -> dict[str, str]:
    """Return the name of each class by its key."""
    return {entry.key: entry.name for entry in classes}


def negative_of(classes: list[LabelClass]) -> str:
    """Return the key of the class that means there is no defect."""
    return next((entry.key for entry in classes if entry.is_negative), "")


def current(line: Line) -> PolicyVersion:
    """Return the policy in force with who made it and what it restored."""
    policy = _in_force.first(line=line.pk)
    if policy is None:
        raise PolicyVersion.DoesNotExist(f"The line {line} has no policy in force.")
    return policy


def history(line: Line, names: dict[str, str]) -> list[Change]:
    """Return the newest versions first, with one query."""
    versions = list(
        PolicyVersion.objects.filter(line=line).select_related("created_by", "restores").order_by("-number")[: SHOWN + 1]
    )
    changes = []
    for policy, before in zip(versions, [*versions[1:], None], strict=True):
        words = changes_in_words(draft_of(before), draft_of(policy), names) if before else ["First policy of the line"]
        changes.append(Change(policy, tuple(words)))
    return changes[:SHOWN]


def rollback_target(current: PolicyVersion) -> int | None:
    """Return the number of the version that one step back leads to; None at the first. `policies.changes` takes the step."""
    place = current.restores.number if current.restores else current.number
    return place - 1 if place > 1 else None
