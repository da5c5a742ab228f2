"""A query that is always the same gives what it gives when it is built anew; on a server its plan can use its conditions."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F, Value

from gateway.compiled import Rows, Select, Update, moment, number, text
from gateway.models import Referral, ReferralState
from policies.models import Line
from tests.monitoring import rows

pytestmark = pytest.mark.django_db

OPEN = Referral.objects.filter(state=ReferralState.OPEN)
OF_LINE = Rows(lambda: OPEN.filter(line=number("line")).order_by("pk").values_list("pk"))
LATE = Rows(lambda: OPEN.filter(due_at__lte=moment("now")).order_by("pk").values_list("pk"))
# Words that could be taken for places, quotes and signs.
ODD = "100 %s of O'Neill's \\ \"things\" 50%"
NAMED = Select(lambda: Line.objects.filter(name=ODD, slug=text("slug")).order_by())
COUNTED = Rows(
    lambda: Line.objects.filter(slug=text("slug")).annotate(odd=Value(ODD), more=F("id") + 7).values_list("odd", "more")
)
SETTLE = Update(lambda: OPEN.filter(line=number("line")), state=ReferralState.CANCELLED, settled_at=moment("now"))


def plans() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%gateway_referral%'")
        return [statement for (statement,) in cursor.fetchall()]


def test_it_finds_what_the_query_finds(line: Line, now: datetime) -> None:
    late = rows.referral(rows.item(line, now), now, due_at=now - timedelta(hours=1))
    soon = rows.referral(rows.item(line, now), now, due_at=now + timedelta(hours=1))
    rows.referral(rows.item(line, now), now, state=ReferralState.SETTLED, due_at=now - timedelta(hours=1))
    # More often than it takes until a server keeps a plan, and until that plan is one for any values.
    for _ in range(12):
        assert OF_LINE.all(line=line.pk) == [(late.pk,), (soon.pk,)]
        assert OF_LINE.all(line=line.pk + 1) == []
        assert LATE.all(now=now) == [(late.pk,)]
        assert LATE.all(now=now + timedelta(hours=2)) == [(late.pk,), (soon.pk,)]
    assert SETTLE.run(line=line.pk, now=now) == 2
    assert OF_LINE.all(line=line.pk) == []


def test_words_that_are_always_the_same_stay_what_they_are(line: Line) -> None:
    Line.objects.filter(pk=line.pk).update(name=ODD)
    for _ in range(4):
        assert NAMED.first(slug=line.slug) == line
        assert NAMED.first(slug=uuid4().hex) is None
        assert [tuple(row) for row in COUNTED.all(slug=line.slug)] == [(ODD, line.pk + 7)]


def test_words_that_are_always_the_same_are_no_values(line: Line, now: datetime) -> None:
    """For each value by which it chose an index of a part of the rows SQLite plans anew; a server does not use that index."""
    assert OF_LINE._compiled.bound({"line": line.pk}) == [line.pk]
    assert len(LATE._compiled.bound({"now": now})) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only a server keeps plans")
def test_a_plan_that_is_kept_knows_the_condition_and_no_moment(line: Line, now: datetime) -> None:
    for _ in range(8):
        OF_LINE.all(line=line.pk)
        LATE.all(now=now)
    kept = plans()
    assert any("'open'" in statement and "$1" in statement for statement in kept)
    assert not any("due_at" in statement for statement in kept)
