"""A reviewer who must not see the prediction cannot get it: not from a page, its source, a list, a filter or a call.

Everything that the browser can receive is looked at twice. First the prediction is made of numbers and names that occur nowhere
else, and none of them may turn up. Then the model is made to have said something else, or not to have decided, and everything
has to stay the same, byte for byte: what does not change cannot tell.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from gateway import deployments
from gateway.models import DecidedBy, Decision, Event, Item, ItemState, Prediction, Referral, Role
from inference import service
from inference.models import ModelVersion
from inference.predictions import Scores
from policies.decide import Reason, Route
from policies.models import Line, Reveal
from policies.modes import Mode
from review import claims
from tests.conftest import version
from tests.review.browser import answer, cards, send
from tests.review.situations import (
    BOX,
    CHALLENGER,
    CHAMPION,
    DONE,
    HEAT,
    NOT_DECIDED_BY_THE_MODEL,
    SAYS,
    SITUATIONS,
    Stage,
)

SECRETS = (
    *("7351", "73.5", "0.735", "74 %", "74%", "1527", "1122", "8264", "82.6"),
    *("1379", "2468", "3571", "0864", "6173", "61.7"),
    *(CHAMPION, CHALLENGER, "caller&#x27;s own", "caller's own"),
    *(base64.b64encode(HEAT.values).decode(), "data:image/png", 'class="region"'),
    *("Probably", "Very likely", "probability of"),
)
# What may hold any digits: ids, digests, tokens, times, the shapes of icons.
RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\b[0-9A-Za-z]{64}\b|\b[0-9A-Za-z]{32}\b"
    r"|\d{4}-\d\d-\d\dT[0-9:.]+(?:\+00:00|Z)?"
    r"|/live/\d+:\w+:[\w-]+/"
    r'| d="[^"]*"'
)
# A length of hundreds of bytes may look like a probability; what has it is compared itself.
UNTELLING = {"Set-Cookie", "Content-Length"}


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """The clock stands still, so that nothing changes by itself between two looks."""
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture
def models(line: Line, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A champion and a challenger with a lot to say."""

    def predict(asked: ModelVersion, batch: Any, *, timeout: float) -> tuple[list[Scores], float]:
        if asked.name == CHALLENGER:
            return [Scores({"ok": 0.0917, "scratch": 0.0819, "dent": 0.8264}, (BOX,), HEAT) for _ in batch], 1.0
        return [Scores(SAYS, (BOX,), HEAT) for _ in batch], 1.0

    monkeypatch.setattr(service, "predict", predict)
    for role, name in ((Role.CHAMPION, CHAMPION), (Role.CHALLENGER, CHALLENGER)):
        deployments.deploy(line, version(name), role, by=None, reason="test", now=now)


@pytest.fixture
def stage(
    line: Line, ines: User, noor: User, omar: User, dial: Any, post: Any, api: Client, now: datetime, models: None
) -> Stage:
    """Everything a situation needs."""
    return Stage(line, [ines, noor, omar], dial, post, api, now)


@pytest.fixture
def desk(ines: User, login: Callable[[User], Client]) -> Client:
    """The browser in which Ines is logged in."""
    return login(ines)


def received(client: Client, item: Item) -> dict[str, str]:
    """Everything about the item that an inspector's browser can receive, headers included, by what was asked."""
    handed = send(client, "/lines/phones/console/next", {"want": 3, "resume": True})
    held = [card["claim"] for card in handed.json()["cards"]]
    found = {"next": handed, "heartbeat": send(client, "/console/heartbeat", {"claims": held})}
    for claim in held:
        found[f"reveal {claim}"] = send(client, f"/console/claims/{claim}/reveal")
    urls = [
        "/lines/phones/console/",
        "/lines/phones/console/last",
        "/recent/",
        "/recent/?line=phones",
        f"/items/{item.pk}/",
        f"/items/{item.pk}/photo",
        f"/items/{item.pk}/thumbnail",
        f"/api/v1/items/{item.pk}",
        f"/api/v1/items/{item.pk}/explanation",
        "/api/v1/lines/phones/items",
        "/api/v1/lines/phones/labels",
        *item_lists(),
    ]
    found |= {url: client.get(url) for url in urls}
    return {name: _text(response) for name, response in found.items()}


def item_lists() -> list[str]:
    """The list of items under every filter that there is, with the values that a leak would make a difference to."""
    choices = {
        "state": ["decided", "referred"],
        "answer": ["ok", "scratch", "dent"],
        "route": [route.value for route in Route],
        "reason": ["confident", "full"],
        "decided_by": ["model"],
    }
    base = "/lines/phones/items/"
    return [base, *(f"{base}?{name}={value}" for name, values in choices.items() for value in values)]


def _text(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(response.headers.items()) if name not in UNTELLING)
    # What is no text, such as a photo, is compared and not read.
    binary = response.headers["Content-Type"].startswith("image/")
    return RANDOM.sub("#", f"{response.status_code}\n{headers}\n" + (body.hex(" ") if binary else body.decode()))


def leaks(found: dict[str, str]) -> list[tuple[str, str]]:
    """Which secret turned up where."""
    return [
        (name, secret)
        for name, text in found.items()
        for secret in SECRETS
        if secret in (text.split("\n\n")[0] if name.endswith(("photo", "thumbnail")) else text)
    ]


def says_otherwise(item: Item) -> None:
    """Make the model, the challenger and what followed from them something else."""
    Prediction.objects.filter(item=item).update(
        answer="ok",
        score=0.91,
        probabilities={"ok": 0.91, "scratch": 0.05, "dent": 0.04},
        regions=[],
        heatmap=None,
        heatmap_rows=0,
        heatmap_columns=0,
        model_version=None,
    )
    Item.objects.filter(pk=item.pk, decided_by=DecidedBy.MODEL).update(answer="dent")
    Decision.objects.filter(item=item, decided_by=DecidedBy.MODEL).update(answer="dent")
    Event.objects.filter(item=item, actor__startswith="model:").update(to_state="dent", actor="model:other", data={})


def decides_otherwise(item: Item) -> None:
    """Let the model not have decided at all what it had decided alone, or the other way round."""
    decided = Item.objects.filter(pk=item.pk, decided_by=DecidedBy.MODEL)
    undecided = {"state": ItemState.REFERRED, "answer": "", "decided_by": "", "decided_at": None}
    if decided.update(**undecided, route=Route.REFER.value, reason=Reason.AUDIT.value):
        Decision.objects.filter(item=item).delete()
    else:
        columns = {
            "state": ItemState.DECIDED,
            "answer": "scratch",
            "decided_by": DecidedBy.MODEL,
            "decided_at": item.received_at,
        }
        Item.objects.filter(pk=item.pk).update(**columns, route=Route.AUTOMATE.value, reason=Reason.FULL.value)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_blind_reviewer_cannot_tell_what_the_model_said(stage: Stage, desk: Client, situation: str) -> None:
    item = SITUATIONS[situation](stage)
    assert Prediction.objects.filter(item=item, role=Role.CHAMPION).exists()
    assert situation.startswith("human_only") or Prediction.objects.filter(item=item, role=Role.CHALLENGER).exists()
    cards(desk)

    found = received(desk, item)

    assert leaks(found) == []
    assert any(name.startswith("reveal") for name in found) is (situation not in DONE)
    assert all(text.startswith("403") for name, text in found.items() if name.startswith("reveal"))
    assert all(text.startswith("401") for name, text in found.items() if name.startswith("/api/"))

    says_otherwise(item)
    again = received(desk, item)
    assert [name for name in found if found[name] != again[name]] == [], "what the model said makes a difference"

    if item.in_audit and situation not in NOT_DECIDED_BY_THE_MODEL:
        decides_otherwise(item)
        again = received(desk, item)
        assert [name for name in found if found[name] != again[name]] == [], "whether it decided makes a difference"


@pytest.mark.parametrize("situation", ["audit in full", "shadow", "appeal"])
def test_other_inspectors_cannot_look_it_up_for_a_friend(
    stage: Stage, desk: Client, noor: User, login: Callable[[User], Client], situation: str
) -> None:
    item = SITUATIONS[situation](stage)
    cards(desk)
    assert leaks(received(login(noor), item)) == []


def test_before_the_first_look_the_prediction_is_nowhere(stage: Stage, desk: Client) -> None:
    """A line that shows it after the first look: until the console asks for it, nothing does."""
    item = stage.arrive(Mode.ASSIST, audit_rate=0.0)
    found = received(desk, item)
    shown = {name: found.pop(name) for name in list(found) if name.startswith("reveal")}
    assert leaks(found) == []
    assert len(shown) == 1 and leaks(shown) != []


def test_the_search_finds_what_there_is_to_find(
    stage: Stage, desk: Client, max_: User, login: Callable[[User], Client]
) -> None:
    """The control: a manager, who judges nothing, sees it; and so does this test."""
    item = stage.arrive(Mode.FULL, audit_rate=1.0)
    page = login(max_).get(f"/items/{item.pk}/")
    assert {secret for _, secret in leaks({"page": _text(page)})} >= {"73.5", CHAMPION, CHALLENGER, "data:image/png"}
    found = {url: _text(login(max_).get(url)) for url in item_lists()}
    says_otherwise(item)
    assert {url for url in found if found[url] != _text(login(max_).get(url))} >= {
        "/lines/phones/items/",
        "/lines/phones/items/?answer=scratch",
        "/lines/phones/items/?answer=dent",
    }


@pytest.mark.parametrize("when", [Reveal.AT_ONCE, Reveal.AFTER])
def test_where_it_may_be_seen_it_comes_as_words_and_places_and_never_as_a_number(
    stage: Stage, desk: Client, when: Reveal
) -> None:
    stage.reveals(when)
    stage.arrive(Mode.ASSIST, audit_rate=0.0)
    (card,) = cards(desk)
    shown = send(desk, f"/console/claims/{card['claim']}/reveal").json()["prediction"]
    assert card.get("prediction") == (shown if when == Reveal.AT_ONCE else None)
    assert (shown["answer"], shown["words"]) == ("scratch", "Probably: scratch")
    assert shown["regions"] == [{"label": "scratch", "x": 0.1379, "y": 0.2468, "width": 0.3571, "height": 0.0864}]
    assert shown["heatmap"] == {"rows": 2, "columns": 3, "values": base64.b64encode(HEAT.values).decode()}
    text = json.dumps([card, shown])
    assert [number for number in ("7351", "73.5", "%", "6173", CHAMPION, "score", "probabilit") if number in text] == []


def test_a_manager_who_also_inspects_is_blind_as_well(stage: Stage, max_: User, login: Callable[[User], Client]) -> None:
    max_.groups.set([*max_.groups.all(), *stage.people[0].groups.all()])
    item = stage.arrive(Mode.FULL, audit_rate=1.0)
    assert leaks(received(login(max_), item)) == []


def test_when_nobody_can_change_it_any_more_the_story_is_told(
    stage: Stage, desk: Client, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    item = SITUATIONS["answered, may be changed"](stage)
    long_ago = now - timedelta(hours=1)
    Referral.objects.filter(item=item).update(settled_at=long_ago)
    assert {name for name, _ in leaks(received(desk, item))} == {f"/items/{item.pk}/"}


def test_no_claim_without_a_question(stage: Stage, desk: Client, ines: User) -> None:
    """What the model decided alone and nobody audits is open to everybody: nobody judges it."""
    item = stage.arrive(Mode.FULL, audit_rate=0.0)
    assert claims.take(stage.line, ines, want=1, now=stage.now) == []
    assert CHAMPION in desk.get(f"/items/{item.pk}/").text
    assert answer(desk, {"claim": 1}).status_code == 409
