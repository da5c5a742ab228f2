"""From what a policy file says to what would change, and to changing it under the rules of approval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from gateway import change_control
from gateway.policy_files import PolicyFileError, Wanted
from policies.automation import lowers
from policies.changes import Draft, active_policy, check_against, draft_of
from policies.errors import PolicyError, StalePolicy
from policies.locks import change_alone
from policies.models import PENDING, ChangeRequest, Line, PolicyVersion, RequestState
from policies.promises import check_limits
from policies.requests import draft_json


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not as the file says; None where it is not there."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would change on one line."""

    line: Line
    policy: PolicyVersion
    draft: Draft
    wanted: Wanted
    policy_differences: tuple[Difference, ...]
    promise_differences: tuple[Difference, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All of them."""
        return self.policy_differences + self.promise_differences

    @property
    def approvals(self) -> int:
        """How many people must agree before the policy comes into force."""
        if not self.policy_differences or lowers(draft_of(self.policy), self.draft):
            return 0
        return self.line.approvals


def plans(wanted: Iterable[Wanted]) -> list[Plan]:
    """Compare each line with what the file says of it. Raises PolicyFileError where that fits no line, or not this one."""
    return [_plan(entry) for entry in wanted]


@transaction.atomic
def apply(found: Iterable[Plan], *, by: User | None, reason: str, now: datetime) -> list[tuple[Plan, ChangeRequest | None]]:
    """Put all plans into force or ask for them, or none of them; return each with its request where its policy changes.

    What waits already for the same values against the same version is not asked for again. Raises PolicyError.
    """
    wanted = [plan for plan in found if plan.differences]
    # All of them first, and in one order: whoever waits for two lines must not hold one that somebody waits for with the other.
    for plan in sorted(wanted, key=lambda plan: plan.line.pk):
        change_alone(plan.line)
    return [(plan, _apply(plan, by=by, reason=reason, now=now)) for plan in wanted]


def _plan(wanted: Wanted) -> Plan:
    line = Line.objects.filter(slug=wanted.slug).first()
    if line is None:
        raise PolicyFileError(f"Line {wanted.row}: there is no line {wanted.slug!r}.")
    policy = active_policy(line)
    draft = replace(draft_of(policy), **wanted.values)
    try:
        check_against(line, draft)
        check_limits(line, wanted.limits or {}, wanted.delta)
    except PolicyError as error:
        raise PolicyFileError(f"Line {wanted.row}, {wanted.slug}: {error.detail}") from None
    before, after = _flat(draft_json(draft_of(policy))), _flat(draft_json(draft))
    return Plan(line, policy, draft, wanted, tuple(_compare(before, after)), tuple(_promises(line, wanted)))


def _promises(line: Line, wanted: Wanted) -> Iterator[Difference]:
    if wanted.delta is not None and wanted.delta != line.delta:
        yield Difference("confidence", 1 - line.delta, 1 - wanted.delta)
    if wanted.limits is not None:
        before = {f"limits.{limit.label_class.key}.{limit.form}": limit.epsilon for limit in _limits(line)}
        yield from _compare(before, {f"limits.{key}.{form}": value for (key, form), value in wanted.limits.items()})


def _apply(plan: Plan, *, by: User | None, reason: str, now: datetime) -> ChangeRequest | None:
    if plan.promise_differences:
        stated = {(limit.label_class.key, str(limit.form)): limit.epsilon for limit in _limits(plan.line)}
        limits = stated if plan.wanted.limits is None else plan.wanted.limits
        change_control.state_limits(plan.line, limits, delta=plan.wanted.delta, by=by, reason=reason, now=now)
    if not plan.policy_differences:
        return None
    draft = draft_json(plan.draft)
    waiting = ChangeRequest.objects.filter(line=plan.line, base=plan.policy, state__in=PENDING).order_by("id")
    known = next((request for request in waiting if request.draft == draft), None)
    made = known or change_control.ask(
        plan.line, plan.draft, expected=plan.policy.number, by=by, reason=reason, now=now, actor="system:policy-file"
    )
    if made.state == RequestState.STALE:
        raise StalePolicy(made.note)  # and with it everything else of the file
    return made


def _limits(line: Line) -> list[Any]:
    return list(line.limits.select_related("label_class"))


def _flat(draft: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in draft.items() if name != "thresholds"}
    return values | {f"thresholds.{key}": value for key, value in draft["thresholds"].items()}


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            yield Difference(name, before.get(name), after.get(name))
