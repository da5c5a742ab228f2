"""A line's settings, label book and retirement: each change with its event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from gateway.errors import ApprovalsKept
from gateway.events import actor_of, event
from policies.locks import hold_line
from policies.models import LabelClass, Line

# What may be changed of a class after it was made. Its key stays: labels and models name it.
BOOK = ("name", "definition", "examples", "counter_examples")


@transaction.atomic
def change_line(
    line: Line, *, settings: Mapping[str, Any], book: Mapping[str, Mapping[str, str]], by: User, now: datetime
) -> bool:
    """Change the line's settings and its label book (`{class key: {field: text}}`); False where nothing differs.

    Raises ApprovalsKept where somebody who is no operator asks for fewer approvals: or whoever is bound by them could set them
    to 0, turn the dial, and set them back.
    """
    before = hold_line(line)
    changed = {name: value for name, value in settings.items() if getattr(before, name) != value}
    if changed.get("approvals", before.approvals) < before.approvals and not by.is_superuser:
        raise ApprovalsKept(f"{before.approvals} people must agree to a change. An operator can make them fewer.")
    if changed:
        Line.objects.filter(pk=line.pk).update(**changed)
    entries = [_rewrite(entry, book.get(entry.key, {})) for entry in line.classes.all()]
    rewritten = [key for key in entries if key]
    if not changed and not rewritten:
        return False
    was = {name: getattr(before, name) for name in changed}
    data = {"from": was, "to": changed, "label_book": rewritten}
    event("line.changed", line=line, actor=actor_of(by), now=now, data=data).save(force_insert=True)
    return True


@transaction.atomic
def retire_line(line: Line, *, retired: bool, by: User, now: datetime) -> bool:
    """Close the line for new items, or open it again; False where it was so already. What is with people stays with them."""
    old, new = ("open", "retired") if retired else ("retired", "open")
    lines = Line.objects.filter(pk=line.pk, retired_at__isnull=retired)
    if lines.update(retired_at=now if retired else None) != 1:
        return False
    event(f"line.{new}", line=line, actor=actor_of(by), now=now, from_state=old, to_state=new).save(force_insert=True)
    return True


def _rewrite(entry: LabelClass, texts: Mapping[str, str]) -> str:
    """Rewrite a class's entry in the label book and return its key where something differs."""
    changed = {name: texts[name] for name in BOOK if name in texts and texts[name] != getattr(entry, name)}
    if not changed:
        return ""
    LabelClass.objects.filter(pk=entry.pk).update(**changed)
    return entry.key
