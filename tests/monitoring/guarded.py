"""Audited decisions as road and console leave them, for tests of guardrails and recalls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from gateway.models import Decision, Item
from inference.models import ModelVersion
from policies.models import LabelClass, Limit, Line
from tests.monitoring import rows


def limit(line: Line, key: str = "ok", form: str = "escape", epsilon: float = 0.05) -> Limit:
    """A limit of the line."""
    return Limit.objects.create(line=line, label_class=LabelClass.objects.get(line=line, key=key), form=form, epsilon=epsilon)


def decided(line: Line, now: datetime, said: str = "ok", *, version: ModelVersion | None = None, **columns: Any) -> Item:
    """An item that arrives now and that the model decides alone."""
    made = rows.automated(line, now, said, **({"received_at": now} | columns))
    if version is not None:
        Decision.objects.filter(item=made).update(model_version=version)
    return made


def audit(line: Line, now: datetime, said: str, truth: str, **columns: Any) -> Item:
    """An audited decision whose truth is known. The item itself stays as the model left it: the watch does not look there."""
    made = decided(line, now, said, in_audit=True, **columns)
    rows.label(made, truth, now)
    return made


def audits(line: Line, now: datetime, outcomes: Sequence[int], said: str = "ok", wrong: str = "dent") -> list[Item]:
    """Audited decisions as `said`, wrong (1) or right (0)."""
    return [audit(line, now, said, wrong if outcome else said) for outcome in outcomes]


def found_wrong(line: Line, now: datetime, *, person: User | None = None, reason: str = "audit", **columns: Any) -> Item:
    """An audited item that the model passed and that a blind judgement called a dent, settled as the console settles it."""
    item = audit(line, now, "ok", "dent", **columns)
    Item.objects.filter(pk=item.pk).update(answer="dent", decided_by="person", revision=2, decided_at=now)
    Decision.objects.create(
        item=item, number=2, answer="dent", decided_by="person", policy=item.policy, user=person, reason=reason, created_at=now
    )
    item.refresh_from_db()
    return item
