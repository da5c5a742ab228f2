"""What stands is what nothing supersedes, and databases are asked for it in a way that they plan well."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from policies.models import Line
from review.models import Judgement, Label
from tests.monitoring import rows


def test_a_corrected_label_stands_as_its_correction(line: Line, now: datetime) -> None:
    item = rows.item(line, now)
    first = rows.label(item, "ok", now)
    assert list(Label.standing.all()) == [first]
    second = rows.label(item, "dent", now, supersedes=first)
    assert list(Label.standing.filter(line=line)) == [second]
    assert Label.objects.count() == 2


def test_so_does_a_judgement(line: Line, ines: User, now: datetime) -> None:
    asked = rows.referral(rows.item(line, now), now)
    first = rows.judgement(asked, ines, "ok", now)
    second = rows.judgement(asked, ines, "dent", now, supersedes=first)
    assert list(Judgement.standing.filter(reviewer=ines)) == [second]


@pytest.mark.parametrize("app", ["review", "monitoring", "gateway"])
def test_nobody_asks_for_what_a_join_does_not_find(app: str) -> None:
    """PostgreSQL expects next to no rows of that, and reads all that there are: 280 ms instead of 7 at a million items."""
    asking = [
        path.name
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py")
        if "superseded_by=None" in path.read_text() or "superseded_by__isnull" in path.read_text()
    ]
    assert asking == []
