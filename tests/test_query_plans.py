"""How the database finds what pages and calls ask for: by the beginning or a range of an index, never by reading a table.

Every statement of a call is explained on a database with some rows in it. The tables that grow are named; nothing may scan
one of them, and what hands out the next item may not sort.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway.models import Item
from monitoring import guarding
from monitoring.selectors.limit_history import limits_at
from monitoring.summing import sum_up
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review import claims
from tests.monitoring import guarded
from tests.review.people import arrive, judge

BIG = (
    "gateway_item", "gateway_prediction", "gateway_decision", "gateway_referral", "gateway_event",
    "review_claim", "review_judgement", "review_label", "monitoring_quarter",
)  # fmt: skip
SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}
LINE, API = "/lines/phones", "/api/v1/lines/phones"


@pytest.fixture
def lived(line: Line, dial: Callable[..., PolicyVersion], ines: User, now: datetime) -> Line:
    """A line on which people and the model decided some, and some still wait, a few of them overdue."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.3, due_seconds=600)
    guarded.limit(line)
    arrive(line, 6, now=now - timedelta(hours=1), says=SURE)
    arrive(line, 6, now=now - timedelta(hours=1), says={"ok": 0.5, "scratch": 0.3, "dent": 0.2})
    for _ in range(4):
        judge(line, ines, "ok", now - timedelta(minutes=50))
    arrive(line, 6, now=now, says={"ok": 0.5, "scratch": 0.3, "dent": 0.2})
    return line


@contextmanager
def plans() -> Iterator[list[str]]:
    """Collect a line a step of every plan of what is asked within, with the beginning of its statement."""
    steps: list[str] = []
    with CaptureQueriesContext(connection) as found:
        yield steps
    with connection.cursor() as cursor, _by_index_where_there_is_one(cursor):
        for sql in (query["sql"] for query in found.captured_queries):
            if re.match("SELECT|UPDATE|DELETE", sql):
                cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql.replace('%', '%%')}", [])
                steps += [f"{row[-1]}  <-  {sql}" for row in cursor.fetchall()]


@contextmanager
def _by_index_where_there_is_one(cursor: Any) -> Iterator[None]:
    """A database that knows that a table is small reads it whole; here it is asked what it does with a large one."""
    ways = ("seqscan", "bitmapscan", "sort") if connection.vendor == "postgresql" else ()
    for way in ways:
        cursor.execute(f"SET enable_{way} = off")
    yield
    for way in ways:
        cursor.execute(f"RESET enable_{way}")


def scans(steps: list[str]) -> list[str]:
    """Return the steps that read a big table from end to end, or an index of one without a place to begin."""
    names = "|".join(BIG)
    return [step for step in steps if re.match(rf'(SCAN "?({names})\b)|(\s*(->)?\s*Seq Scan on ({names})\b)', step)]


def sorts(steps: list[str]) -> list[str]:
    """Return the steps that sort before the first row is there; rows that an index brings nearly sorted are none."""
    return [step for step in steps if re.match(r"USE TEMP B-TREE FOR ORDER BY|\s*(->)?\s*Sort +\(", step)]


PAGES = (
    "/", f"{LINE}/", f"{LINE}/queue/", f"{LINE}/flow/", f"{LINE}/items/", f"{LINE}/items/?state=held",
    f"{LINE}/items/?answer=dent", f"{LINE}/items/?route=refer", f"{LINE}/items/?reason=appeal",
    f"{LINE}/items/?decided_by=person", f"{LINE}/items/?external_id=A-1", f"{LINE}/items/?answer=dent&reason=appeal",
    f"{LINE}/models/", f"{LINE}/promises/", f"{LINE}/guardrails/", f"{LINE}/bias/", f"{LINE}/report/", f"{LINE}/what-if/",
)  # fmt: skip
CALLS = (
    f"{API}/items", f"{API}/items?status=held", f"{API}/items?decision=ok", f"{API}/items?external_id=A-1",
    f"{API}/items?since=2026-01-01T00:00:00Z", f"{API}/items?until=2999-01-01T00:00:00Z",
    f"{API}/labels", f"{API}/labels?after=2",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_no_page_reads_a_table(lived: Line, max_: User, login: Callable[[User], Client], path: str) -> None:
    manager = login(max_)
    with plans() as steps:
        assert manager.get(path).status_code == 200
    assert steps and not scans(steps), "\n".join(scans(steps))


@pytest.mark.parametrize("path", CALLS)
def test_no_call_of_a_machine_reads_a_table(lived: Line, api: Client, path: str) -> None:
    with plans() as steps:
        assert api.get(path).status_code == 200
    assert steps and not scans(steps), "\n".join(scans(steps))


@pytest.mark.parametrize("path", [f"{LINE}/items/", f"{LINE}/items/?answer=dent", f"{LINE}/items/?external_id=A-1"])
def test_a_page_of_items_is_a_range_of_an_index(lived: Line, max_: User, login: Callable[[User], Client], path: str) -> None:
    manager = login(max_)
    before = Item.objects.order_by("-id")[3].pk
    with plans() as steps:
        manager.get(path, {"before": str(before)}) if "?" not in path else manager.get(f"{path}&before={before}")
    assert not sorts([step for step in steps if 'FROM "gateway_item"' in step])


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=2)])
def test_the_next_item_is_the_beginning_of_an_index(lived: Line, noor: User, now: datetime, late: timedelta) -> None:
    """Whether nothing is overdue or much is: no table is read, and nothing is sorted."""
    with plans() as steps:
        assert len(claims.take(lived, noor, want=3, now=now + late)) == 3
    asked = [step for step in steps if 'FROM "gateway_referral"' in step and "ORDER BY" in step]
    assert asked and not sorts(asked), "\n".join(sorts(asked))
    assert not scans(steps), "\n".join(scans(steps))


def test_a_reviewers_loop_reads_no_table(lived: Line, ines: User, login: Callable[[User], Client]) -> None:
    desk = login(ines)

    def post(path: str, body: Any) -> Any:
        response = desk.post(path, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": path})
        assert response.status_code == 200, response.content
        return response.json()

    with plans() as steps:
        (card,) = post(f"{LINE}/console/next", {"want": 1, "resume": True})["cards"]
        given = post(f"/console/claims/{card['claim']}/judge", {"answer": "dent"})
        post(f"/console/judgements/{given['judgement']}/revise", {"answer": "ok"})
        post("/console/heartbeat", {"claims": [card["claim"]]})
        assert desk.get(f"{LINE}/console/last").status_code == desk.get("/recent/").status_code == 200
    assert not scans(steps), "\n".join(scans(steps))


def test_the_watch_reads_no_table(lived: Line, now: datetime) -> None:
    with plans() as steps:
        guarding.watch(lived, now=now)
    assert steps and not scans(steps), "\n".join(scans(steps))
    newest = [step for step in steps if 'FROM "gateway_item"' in step and "LIMIT" in step]
    assert newest and not sorts(newest), "the newest items are the beginning of an index"


@pytest.mark.parametrize("path", ["/", f"{LINE}/", f"{LINE}/flow/", f"{LINE}/report/"])
def test_sums_are_made_and_read_by_index(
    lived: Line, max_: User, ines: User, login: Callable[[User], Client], now: datetime, path: str
) -> None:
    """Also where something moved since they were made."""
    manager = login(max_)
    with plans() as steps:
        assert sum_up(lived, event=0, now=now)
        judge(lived, ines, "ok", now)
        assert sum_up(lived, event=1, now=now)
        assert manager.get(path).status_code == 200
    assert steps and not scans(steps), "\n".join(scans(steps))


def test_what_is_about_the_line_is_not_looked_for_among_the_events_of_its_items(lived: Line, now: datetime) -> None:
    with plans() as steps:
        assert limits_at(lived, now + timedelta(days=1))
    assert "event_of_the_line" in "\n".join(steps)


def test_a_scan_is_seen(lived: Line) -> None:
    """The test of the test: without an index it would be found."""
    with plans() as steps:
        list(Item.objects.filter(width=3).order_by("height"))
    assert scans(steps) and sorts(steps)
