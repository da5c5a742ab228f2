"""Policies as code: write them to a file, see what a file would change, change it under the rules of approval."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway.policy_files import PolicyFileError, export, parse
from gateway.policy_plans import Difference, Plan, apply, plans
from policies.changes import active_policy
from policies.errors import PolicyError
from policies.models import ChangeRequest, Line, RequestState

CHANGES, WAITS = 2, 3


class Command(BaseCommand):
    """`policy export [LINE ...]`, `policy plan FILE`, `policy apply FILE --reason WHY`."""

    help = (
        "Write policies as YAML, compare a file with what is in force, apply it. Exit codes: plan 0 nothing to change, 2 "
        "changes; apply 0 done, 3 waits for approval; 1 an error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        written = verbs.add_parser("export", help="Write what is in force.")
        written.add_argument("lines", nargs="*", metavar="LINE", help="All open lines where none is named.")
        planned = verbs.add_parser("plan", help="Say what a file would change; change nothing.")
        planned.add_argument("file", type=Path)
        applied = verbs.add_parser("apply", help="Put a file into force, or ask for it where people have to agree.")
        applied.add_argument("file", type=Path)
        applied.add_argument("--reason", required=True)
        applied.add_argument("--by", metavar="USER", help="Who asks. Somebody else has to approve it.")

    def run_from_argv(self, argv: list[str]) -> None:
        """A wrong command line ends with 1, as 2 says that there are changes."""
        # Without it the parser raises instead of saying what is wrong.
        self._called_from_command_line = True
        try:
            self.create_parser(argv[0], argv[1]).parse_args(argv[2:])
        except SystemExit as end:
            sys.exit(1 if end.code else 0)
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the three."""
        try:
            if options["verb"] == "export":
                self._export(options["lines"])
            elif options["verb"] == "plan":
                self._plan(options["file"])
            else:
                self._apply(options["file"], options["reason"], options["by"])
        except (PolicyFileError, PolicyError) as error:
            raise CommandError(error.detail) from error

    def _export(self, slugs: list[str]) -> None:
        known = Line.objects.prefetch_related("limits__label_class").order_by("slug")
        lines = list(known.filter(slug__in=slugs) if slugs else known.filter(retired_at=None))
        missing = sorted(set(slugs) - {line.slug for line in lines})
        if missing:
            raise CommandError(f"There is no line {', '.join(missing)}.")
        self.stdout.write(export((line, active_policy(line)) for line in lines), ending="")

    def _plan(self, file: Path) -> None:
        found = _read(file)
        self._show(found)
        if any(plan.differences for plan in found):
            sys.exit(CHANGES)

    def _apply(self, file: Path, reason: str, by: str | None) -> None:
        user = User.objects.filter(username=by, is_active=True).first() if by else None
        if by and user is None:
            raise CommandError(f"There is no user {by!r}.")
        found = _read(file)
        self._show(found)
        outcomes = apply(found, by=user, reason=reason, now=timezone.now())
        for plan, request in outcomes:
            self.stdout.write(f"{plan.line.slug}: {_outcome(plan, request)}")
        states = {request.state for _, request in outcomes if request is not None}
        if states - {RequestState.APPLIED}:
            sys.exit(WAITS)

    def _show(self, found: list[Plan]) -> None:
        changed = [plan for plan in found if plan.differences]
        for plan in changed:
            self.stdout.write(self.style.MIGRATE_HEADING(f"{plan.line.slug} (policy version {plan.policy.number})"))
            for difference in plan.differences:
                self.stdout.write(f"  {self._words(difference)}")
            if plan.approvals:
                self.stdout.write(f"  needs {plan.approvals} approval{'s' * (plan.approvals > 1)}")
        count = sum(len(plan.differences) for plan in changed)
        self.stdout.write(
            f"{count} change{'s' * (count != 1)} on {len(changed)} of {len(found)} line{'s' * (len(found) != 1)}."
        )

    def _words(self, difference: Difference) -> str:
        if difference.before is None:
            return self.style.SUCCESS(f"+ {difference.name}: {_value(difference.after)}")
        if difference.after is None:
            return self.style.ERROR(f"- {difference.name}: {_value(difference.before)}")
        before, after = _value(difference.before), _value(difference.after)
        return self.style.WARNING(f"~ {difference.name}: {before} -> {after}")


def _read(file: Path) -> list[Plan]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    return plans(parse(text))


def _value(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _outcome(plan: Plan, request: ChangeRequest | None) -> str:
    if request is None:
        return "limits are stated"
    if request.state == RequestState.APPLIED:
        return f"version {plan.policy.number + 1} is in force"
    if request.state == RequestState.OPEN:
        return f"waits for approval: request {request.pk}"
    return f"{request.get_state_display().lower()}: request {request.pk}"
