"""Setting up a line: its classes, its label book and its first policy, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from policies.changes import Draft, first_policy
from policies.errors import InvalidLine
from policies.models import LabelClass, Line

# One key per verdict: the negative takes 1, the defects 2 to 9 and then letters that the console leaves free.
HOTKEYS = "123456789qwertyiopadgjkl"
# What an address of the line can hold.
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")

# Addresses of pages that stand where a line's slug would.
RESERVED = {"new"}


@dataclass(frozen=True, slots=True)
class ClassDraft:
    """A label class before it belongs to a line."""

    key: str
    name: str
    definition: str = ""
    examples: str = ""
    counter_examples: str = ""


@transaction.atomic
def create_line(
    slug: str,
    name: str,
    question: str,
    classes: Sequence[ClassDraft],
    policy: Draft,
    *,
    now: datetime,
    by: User | None = None,
    reason: str = "New line",
    **options: object,
) -> Line:
    """Create a line whose first class is the negative. `options` are further fields of Line."""
    _check(slug, classes)
    line = Line.objects.create(slug=slug, name=name, question=question, created_at=now, **options)
    LabelClass.objects.bulk_create(
        LabelClass(
            line=line,
            key=entry.key,
            name=entry.name,
            position=position,
            is_negative=position == 0,
            hotkey=HOTKEYS[position],
            definition=entry.definition,
            examples=entry.examples,
            counter_examples=entry.counter_examples,
        )
        for position, entry in enumerate(classes)
    )
    first_policy(line, policy, by=by, reason=reason, now=now)
    return line


def _check(slug: str, classes: Sequence[ClassDraft]) -> None:
    if not 2 <= len(classes) <= len(HOTKEYS):
        raise InvalidLine(f"A line needs between 2 and {len(HOTKEYS)} classes, not {len(classes)}.")
    if len({entry.key for entry in classes}) != len(classes):
        raise InvalidLine("Two classes have the same key.")
    if slug in RESERVED:
        raise InvalidLine(f"The address {slug!r} is taken by a page.")
    if any(entry.key == "hold" for entry in classes):
        raise InvalidLine("The key 'hold' is taken by the fail-safe.")
    for entry in classes:
        # An empty answer means unsure, so an empty key could never be told from it.
        if not 1 <= len(entry.key) <= 40 or not entry.key.isprintable():
            raise InvalidLine(f"A class key has 1 to 40 printable characters, not {entry.key[:50]!r}.")
    if not SLUG.fullmatch(slug):
        raise InvalidLine(f"A line's slug has up to 50 letters, digits, hyphens and underscores, not {slug[:60]!r}.")
