"""Judgements in AI assist, shown and blind, for tests of how far people lean on the model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from gateway.models import Item
from tests.monitoring import rows


def shown(line: Any, now: datetime, by: User, answer: str, said: str = "ok", *, saw: bool = True, **columns: Any) -> Item:
    """An item of assist whose judge saw what the model said; with `saw` False it was there and not opened."""
    item = rows.item(line, now, reason="assist", **columns)
    rows.prediction(item, said, 0.9, None)
    rows.judgement(rows.referral(item, now, blind=False, state="settled"), by, answer, now, saw_prediction=saw)
    return item


def blind(line: Any, now: datetime, by: User, answer: str, said: str = "ok", **columns: Any) -> Item:
    """An item of the random blind arm."""
    item = rows.item(line, now, reason="audit", in_audit=True, **columns)
    rows.prediction(item, said, 0.9, None)
    rows.judgement(rows.referral(item, now, state="settled"), by, answer, now)
    return item


def second(item: Item, now: datetime, by: User, answer: str) -> None:
    """Somebody judges the item blind for another reason."""
    rows.judgement(rows.referral(item, now, reason="disagreement", state="settled"), by, answer, now)
