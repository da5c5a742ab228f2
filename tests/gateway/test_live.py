"""Whether anything moved: one query, no session, and no answer for who has no ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.signing import TimestampSigner
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateway import live
from gateway.events import event
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode

Ask = Callable[..., HttpResponse]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stop the clock of the stamps; `still(seconds)` moves it on."""
    moment = [timezone.now()]
    monkeypatch.setattr(live.timezone, "now", lambda: moment[0])

    def move(seconds: float) -> None:
        moment[0] += timedelta(seconds=seconds)

    return move


@pytest.fixture
def ask(still: Any) -> Ask:
    """Ask like a page, with the stamp of the answer before."""
    stamps: dict[str, str] = {}

    def one(url: str) -> HttpResponse:
        headers = {"If-None-Match": stamps[url]} if url in stamps else {}
        answer = Client().get(url, headers=headers)
        stamps[url] = answer.headers.get("ETag", "")
        assert answer.content == b""
        return answer

    return one


def write(line: Line, at: datetime, **more: Any) -> None:
    event("policy.changed", line=line, actor="user:max", now=at).save(force_insert=True)


def test_nothing_moved(line: Line, ask: Ask) -> None:
    url = live.ticket_url(line)
    assert ask(url).status_code == 204
    assert [ask(url).status_code for _ in range(3)] == [304, 304, 304]


def test_an_unchanged_look_is_one_query(line: Line, ask: Ask, login: Any, max_: Any, now: datetime) -> None:
    write(line, now - timedelta(hours=1))
    url = live.ticket_url(line)
    stamp = ask(url).headers["ETag"]
    manager = login(max_)
    with CaptureQueriesContext(connection) as found:
        assert manager.get(url, headers={"If-None-Match": stamp}).status_code == 304
    assert len(found) == 1
    assert "gateway_event" in found[0]["sql"]


def test_the_query_reads_an_index_and_sorts_nothing(line: Line, now: datetime) -> None:
    for url in (live.ticket_url(line), live.ticket_url()):
        with CaptureQueriesContext(connection) as found:
            Client().get(url)
        with connection.cursor() as cursor:
            explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            if connection.vendor == "postgresql":
                # As on a large table; on a small one reading and sorting is cheaper.
                cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute(f"{explain} {found[0]['sql']}")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall()).lower()
        assert "sort" not in plan
        assert "temp b-tree" not in plan


def test_a_move_on_the_line_is_heard_once(line: Line, ask: Ask, still: Any) -> None:
    mine, every = live.ticket_url(line), live.ticket_url()
    ask(mine)
    ask(every)
    still(5)
    write(line, timezone.now())
    assert [ask(mine).status_code, ask(mine).status_code] == [200, 304]
    assert [ask(every).status_code, ask(every).status_code] == [200, 304]


def test_a_move_on_another_line_is_not(line: Line, ask: Ask, still: Any, now: datetime) -> None:
    classes = [ClassDraft("ok", "Ok"), ClassDraft("dent", "Dent")]
    other = create_line("cups", "Cups", "?", classes, Draft(Mode.HUMAN_ONLY), now=now)
    mine = live.ticket_url(line)
    ask(mine)
    write(other, now)
    assert ask(mine).status_code == 304


def test_a_late_commit_below_the_newest_is_heard(line: Line, ask: Ask, now: datetime) -> None:
    """On PostgreSQL 7 can be seen before 6."""
    long_ago = now - timedelta(hours=1)
    for number in (10, 7):
        one = event("policy.changed", line=line, actor="user:max", now=long_ago)
        one.pk = number
        one.save(force_insert=True)
        url = live.ticket_url(line)
        assert ask(url).status_code == 204 if number == 10 else ask(url).status_code in {200, 204}
    late = event("policy.changed", line=line, actor="user:max", now=long_ago)
    late.pk = 6
    before = ask(url).headers["ETag"]
    late.save(force_insert=True)
    assert ask(url).headers["ETag"] != before


def test_what_moved_between_the_page_and_its_first_look_is_heard(line: Line, ask: Ask, still: Any) -> None:
    url = live.ticket_url(line)
    still(2)
    write(line, timezone.now())
    assert ask(url).status_code == 200


def test_the_clock_alone_changes_the_stamp_now_and_then(line: Line, ask: Ask, still: Any) -> None:
    url, changes = live.ticket_url(line), 0
    ask(url)
    for _ in range(30):
        still(2)
        changes += ask(url).status_code == 200
    assert changes == 60 / live.STALE_SECONDS


def test_without_a_good_ticket_nothing_is_said(line: Line, still: Any, settings: Any) -> None:
    url = live.ticket_url(line)
    for bad in (url.replace("/live/1", "/live/0"), "/live/1/", "/live/1:a:b/", url[:-3] + "/"):
        if bad != url:
            assert Client().get(bad).status_code == 403, bad
    assert Client().get(f"/live/{TimestampSigner(salt='other').sign('1')}/").status_code == 403
    assert Client().post(url).status_code == 405


def test_a_ticket_ends(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    url = live.ticket_url(line)
    monkeypatch.setattr(live, "TICKET_AGE", timedelta(seconds=-1))
    assert Client().get(url).status_code == 403
