"""While an item waits for a blind look, an inspector finds no trace of what the model said: not in the page, not by filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway.models import Event, Item, ReferralState
from gateway.roles import MANAGERS
from policies.models import Line, PolicyVersion, Reveal
from policies.modes import Mode
from tests.conftest import version
from tests.monitoring import rows


@pytest.fixture
def audited(line: Line, dial: Callable[..., PolicyVersion], noor: User, now: datetime) -> Item:
    """An item that the model called a dent and decided alone; it waits for a blind look, and Noor has given hers."""
    dial(Mode.PARTIAL, thresholds={"dent": 0.9}, audit_rate=0.1, overlap=2)
    made = rows.automated(line, now, "dent", in_audit=True, external_id="SN-BLIND")
    region = {"label": "dent", "x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2, "score": 0.9}
    rows.prediction(made, "dent", 0.9317, version(), regions=[region], heatmap_rows=1, heatmap_columns=2, heatmap=b"\x00\xff")
    asked = rows.referral(made, now, reason="audit", wanted=2, probability=0.1)
    rows.judgement(asked, noor, "dent", now, comment="a clear dent")
    Event.objects.create(
        at=now, line=line, item=made, kind="item.decided", to_state="dent", actor="model:x", reason="confident"
    )
    rows.known(made, "dent")
    return made


TRACES = (
    "Dent",
    "dent",
    "93.17",
    "0.9317",
    "inspection-test-1",
    "confident",
    "noor",
    "Model decided",
    "The policy let",
    "base64",
    "region",
)


def test_the_item_page_keeps_everything_back(audited: Item, inspector: Client) -> None:
    page = inspector.get(f"/items/{audited.pk}/").text
    assert [trace for trace in TRACES if trace in page] == []
    assert "To be judged blind" in page
    assert "drawn for the random check" in page


def test_a_manager_who_judges_nothing_sees_it_all(audited: Item, manager: Client) -> None:
    page = manager.get(f"/items/{audited.pk}/").text
    assert [
        trace for trace in ("Dent", "93.2 %", "inspection-test-1", "noor", "data:image/png;base64") if trace not in page
    ] == []
    assert "The demo knows" in page


def test_a_manager_who_also_judges_is_blind_too(
    audited: Item, login: Callable[[User], Client], ines: User, django_user_model: type[User]
) -> None:
    ines.groups.create(name=MANAGERS)
    assert "93.2" not in login(ines).get(f"/items/{audited.pk}/").text


def test_after_the_look_the_story_is_told(audited: Item, inspector: Client, now: datetime) -> None:
    audited.referrals.update(state=ReferralState.SETTLED, settled_at=now - timedelta(days=1))
    page = inspector.get(f"/items/{audited.pk}/").text
    assert "93.2 %" in page
    assert "noor judged: Dent" in page
    assert "The demo knows" not in page


def test_an_answer_that_can_still_be_changed_hides_it_too(audited: Item, inspector: Client, now: datetime) -> None:
    audited.referrals.update(state=ReferralState.SETTLED, settled_at=now)
    page = inspector.get(f"/items/{audited.pk}/").text
    assert [trace for trace in TRACES if trace in page] == []
    assert "data-verdict" not in inspector.get("/lines/phones/items/").text


def test_a_line_that_never_shows_the_prediction_hides_it_too(line: Line, inspector: Client, now: datetime) -> None:
    Line.objects.filter(pk=line.pk).update(reveal=Reveal.BLIND)
    made = rows.item(line, now, reason="uncertain")
    rows.prediction(made, "dent", 0.9317, None)
    rows.referral(made, now, blind=False)
    page = inspector.get(f"/items/{made.pk}/").text
    assert ("93.2" in page, "Dent" in page) == (False, False)
    assert "without seeing what the model said" in page


def test_the_list_keeps_the_answer_back(audited: Item, inspector: Client, manager: Client) -> None:
    card = "To be judged blind"
    blind, seen = inspector.get("/lines/phones/items/").text, manager.get("/lines/phones/items/").text
    assert "SN-BLIND" in blind
    assert card in blind
    assert card not in seen
    # Below the filters, which name every class, there is no verdict.
    assert "data-verdict" not in blind
    assert 'data-verdict="fail"' in seen


@pytest.mark.parametrize(
    "query", ["answer=dent", "decided_by=model", "route=automate", "reason=confident", "state=decided", "state=held"]
)
def test_no_filter_tells(audited: Item, inspector: Client, query: str) -> None:
    assert "SN-BLIND" not in inspector.get(f"/lines/phones/items/?{query}").text


def test_it_counts_as_waiting_for_people(audited: Item, inspector: Client) -> None:
    assert "SN-BLIND" in inspector.get("/lines/phones/items/?state=referred").text


@pytest.mark.parametrize(
    ("query", "found"), [("answer=dent", True), ("decided_by=model", True), ("state=decided", True), ("state=referred", False)]
)
def test_a_manager_filters_by_what_it_is(audited: Item, manager: Client, query: str, found: bool) -> None:
    assert ("SN-BLIND" in manager.get(f"/lines/phones/items/?{query}").text) is found
