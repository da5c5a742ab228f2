"""The items that a replay's evidence names, as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from gateway.models import Item
from monitoring.selectors.items import with_hidden


@dataclass(frozen=True, slots=True)
class Flip:
    """An item that another policy would have decided otherwise; None stands for a person."""

    item: Item
    before: str | None
    after: str | None
    score: float


def flipped_items(evidence: Mapping[str, Any], user: User) -> list[Flip]:
    """Return them in the evidence's order with one query; none that the user has still to judge blind, or that is gone."""
    named = evidence.get("flips", {}).get("items", [])
    rows = with_hidden(Item.objects.filter(pk__in=[row["id"] for row in named]), user)
    found = {str(item.pk): item for item in rows if not item.hidden}  # type: ignore[attr-defined]
    return [Flip(found[row["id"]], row["before"], row["after"], row["score"]) for row in named if row["id"] in found]
