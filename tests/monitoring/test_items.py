"""The list of items and the story of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway.models import Decision, Event, Item
from monitoring.selectors import items
from monitoring.selectors.story import item_story
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.conftest import version
from tests.monitoring import rows


def test_pages_follow_each_other_without_gap_or_repeat(
    line: Line, manager: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "PAGE", 3)
    made = [rows.item(line, now).pk for _ in range(7)]
    seen, query = [], ""
    while True:
        context = manager.get(f"/lines/phones/items/?{query}").context
        seen += [item.pk for item in context["page"].items]
        query = context["more"]
        if not query:
            break
    assert seen == sorted(made, reverse=True)


def test_filters_stay_on_the_next_page(line: Line, manager: Client, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "PAGE", 1)
    for state in ("held", "held", "referred"):
        rows.item(line, now, state=state)
    context = manager.get("/lines/phones/items/?state=held").context
    assert context["more"].startswith("state=held&before=")


def test_an_external_id_is_found(line: Line, manager: Client, now: datetime) -> None:
    rows.item(line, now, external_id="A-1")
    rows.item(line, now, external_id="A-2")
    page = manager.get("/lines/phones/items/?external_id=A-2").text
    assert ("A-2" in page, ">A-1<" in page) == (True, False)


@pytest.mark.parametrize("query", ["before=nonsense", "state=nonsense", "answer=%00", "unknown=1"])
def test_a_cut_address_is_still_an_address(line: Line, manager: Client, query: str) -> None:
    assert manager.get(f"/lines/phones/items/?{query}").status_code == 200


def test_the_story_is_told_in_order(
    line: Line, dial: Callable[..., PolicyVersion], max_: User, ines: User, now: datetime
) -> None:
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.1)
    made = rows.automated(line, now, "ok", in_audit=True, draw=0.05)
    rows.prediction(made, "ok", 0.953, version())
    asked = rows.referral(made, now, reason="audit", created_at=made.received_at, state="settled", probability=0.1)
    rows.judgement(asked, ines, "scratch", now, comment="along the edge")
    Decision.objects.create(
        item=made,
        number=2,
        answer="scratch",
        decided_by="person",
        user=ines,
        policy=made.policy,
        reason="audit",
        created_at=now,
    )
    Item.objects.filter(pk=made.pk).update(answer="scratch", decided_by="person", revision=2)
    rows.label(made, "scratch", now)
    story = item_story(made.pk, max_)
    assert story is not None
    assert [entry.title for entry in story.entries] == [
        f"Arrived as {made.external_id}",
        "The model looked: Ok",
        "The policy let the model decide",
        "Decided: Ok",
        "People were asked",
        "ines judged: Scratch",
        "Decided: Scratch",
        "Label: Scratch",
    ]
    assert (story.answer, story.decided_by) == ("Scratch", "Person")
    assert any("threshold" in sentence for sentence in story.why)
    assert any("0.0500" in sentence for sentence in story.why)
    assert "“along the edge”" in story.entries[5].sentences


def test_what_no_row_tells_is_told_by_events(line: Line, max_: User, now: datetime) -> None:
    made = rows.item(line, now, state="held")
    Event.objects.create(at=now, line=line, item=made, kind="item.held", actor="system:deadline", to_state="held")
    Event.objects.create(at=now, line=line, item=made, kind="referral.opened", actor="policy:v1")
    story = item_story(made.pk, max_)
    assert story is not None
    assert [entry.title for entry in story.entries][-1] == "Held"
    assert "Referral.opened" not in {entry.title for entry in story.entries}


def test_an_unsure_answer_has_its_word(line: Line, max_: User, ines: User, now: datetime) -> None:
    made = rows.item(line, now)
    rows.judgement(rows.referral(made, now), ines, "", now + timedelta(seconds=1))
    story = item_story(made.pk, max_)
    assert story is not None
    assert story.entries[-1].title == "ines judged: Unsure"
