"""The few calls that the console makes: what they give, and whom and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway.models import Item
from policies.models import LabelClass, Line, Reveal
from policies.modes import Mode
from review.models import Claim, ClaimEnd, Judgement, LabelExample
from tests.review.browser import answer, cards, send
from tests.review.people import arrive, judge, take

Login = Callable[[User], Client]
SURE = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}


@pytest.fixture
def desk(ines: User, login: Login) -> Client:
    """The browser in which Ines is logged in."""
    return login(ines)


def test_the_page_carries_what_its_script_needs(desk: Client, line: Line, now: datetime, client: Client) -> None:
    (item,) = arrive(line, now=now)
    dent = LabelClass.objects.get(line=line, key="dent")
    LabelExample.objects.create(label_class=dent, item=item, counter=True, caption="only a shadow")
    page = desk.get("/lines/phones/console/")
    assert page.status_code == 200 and "csrftoken" in page.cookies
    config = page.context["config"]
    assert [(one["key"], one["negative"], one["hotkey"]) for one in config["classes"]] == [
        ("ok", True, "1"),
        ("scratch", False, "2"),
        ("dent", False, "3"),
    ]
    assert config["classes"][2]["pictures"] == [
        {"url": f"/items/{item.pk}/thumbnail", "caption": "only a shadow", "counter": True}
    ]
    assert config["line"] == {
        "slug": "phones",
        "name": "Phones",
        "question": "Is there a defect?",
        "keep_zoom": False,
        "reveal": "after",
        "mode": "human_only",
    }
    assert (config["user"], config["claim_seconds"], config["urls"]["judge"]) == ("ines", 60, "/console/claims/0/judge")
    text = page.text.split('<script id="console-config" type="application/json">')[1].split("</script>")[0]
    assert json.loads(text) == config


def test_next_hands_out_cards_and_says_how_long_the_queue_is(desk: Client, line: Line, now: datetime) -> None:
    old, *_ = arrive(line, 5, now=now - timedelta(minutes=3), metadata={"shift": "late"})
    body = send(desk, "/lines/phones/console/next", {"want": 3}).json()
    assert body["queue"] == {"open": 5, "overdue": 0, "most": 1000, "oldest_at": (now - timedelta(minutes=3)).isoformat()}
    assert len(body["cards"]) == 3
    claim = Claim.objects.get(pk=body["cards"][0]["claim"])
    assert body["cards"][0] == {
        "claim": claim.pk,
        "referral": claim.referral_id,
        "item": str(old.pk),
        "photo": f"/items/{old.pk}/photo",
        "width": 48,
        "height": 32,
        "external_id": old.external_id,
        "metadata": {"shift": "late"},
        "received_at": old.received_at.isoformat(),
        "due_at": None,
        "expires_at": claim.expires_at.isoformat(),
        "reason": "human_only",
        "reason_words": "People judge everything on this line",
        "note": "",
        "blind": True,
        "reveal": "never",
    }


def test_an_empty_queue_gives_no_cards(desk: Client, line: Line) -> None:
    body = send(desk, "/lines/phones/console/next").json()
    assert body == {"cards": [], "queue": {"open": 0, "overdue": 0, "most": 1000, "oldest_at": None}}


def test_a_reloaded_page_resumes_and_takes_only_what_is_missing(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, 6, now=now)
    before = [card["claim"] for card in cards(desk, want=2)]
    Claim.objects.update(expires_at=now + timedelta(seconds=1))
    resumed = cards(desk, want=3, resume=True)
    assert [card["claim"] for card in resumed][:2] == before and len(resumed) == 3
    assert Claim.objects.get(pk=before[0]).expires_at > now + timedelta(seconds=30)


@pytest.mark.parametrize("want", [-1, 5, 1.5, "3", None, True, [], {}, 10**30])
def test_a_senseless_want_is_refused(desk: Client, line: Line, want: Any) -> None:
    response = send(desk, "/lines/phones/console/next", {"want": want})
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert "want" in response.json()["detail"]


def test_heartbeat_and_leaving(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, 2, now=now)
    mine = [card["claim"] for card in cards(desk, want=2)]
    beat = send(desk, "/console/heartbeat", {"claims": [*mine, 999]}).json()
    assert (beat["held"], beat["lost"]) == (mine, [999])
    assert datetime.fromisoformat(beat["expires_at"]) >= now + timedelta(seconds=60)
    assert send(desk, "/console/leave", {"kept": mine[:1]}).json() == {"released": 1}
    assert send(desk, "/console/heartbeat", {"claims": mine}).json()["lost"] == mine[1:]


def test_a_reloaded_page_takes_over_and_the_old_one_is_no_longer_asked(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, 2, now=now)
    old, new = {"page": "old"}, {"page": "new"}
    mine = [card["claim"] for card in cards(desk, want=2, **old)]
    assert [card["claim"] for card in cards(desk, want=2, resume=True, **new)] == mine
    assert send(desk, "/console/leave", old).json() == {"released": 0}
    beat = send(desk, "/console/heartbeat", {"claims": mine, **old}).json()
    assert (beat["held"], beat["elsewhere"], beat["lost"]) == ([], mine, [])
    assert send(desk, "/console/heartbeat", {"claims": mine, **new}).json()["held"] == mine
    assert send(desk, "/console/leave", new).json() == {"released": 2}


@pytest.mark.parametrize("page", [1, None, ["a"], "x" * 37, "nul \0", "\ud800"])
@pytest.mark.parametrize("url", ["/lines/phones/console/next", "/console/heartbeat", "/console/leave"])
def test_a_senseless_page_is_refused_and_changes_nothing(desk: Client, line: Line, now: datetime, url: str, page: Any) -> None:
    arrive(line, 2, now=now)
    (card,) = cards(desk)
    response = send(desk, url, {"page": page, "claims": [card["claim"]], "want": 1, "resume": True})
    assert (response.status_code, "page" in response.json()["detail"]) == (422, True)
    held = Claim.objects.get()
    assert (held.page, held.ended_at) == ("", None)


def test_an_answer_is_kept_with_all_that_goes_with_it(desk: Client, line: Line, now: datetime) -> None:
    (item,) = arrive(line, now=now)
    (card,) = cards(desk)
    box = {"label": "dent", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
    response = answer(desk, card, "dent", regions=[box], comment="é", active_ms=1234.6)
    given = Judgement.objects.get()
    assert response.json() == {"judgement": given.pk, "answer": "dent", "item": str(item.pk)}
    assert (given.regions, given.comment, given.active_ms) == ([box], "é", 1234)


def test_the_same_request_again_gets_the_same_answer(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, now=now)
    url = f"/console/claims/{cards(desk)[0]['claim']}/judge"
    first = send(desk, url, {"answer": "dent"}, key="k")
    assert send(desk, url, {"answer": "dent"}, key="k").json() == first.json()
    other = send(desk, url, {"answer": "ok"}, key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_a_lost_claim_is_a_conflict_that_names_who_has_it(desk: Client, line: Line, noor: User, now: datetime) -> None:
    arrive(line, now=now)
    (card,) = cards(desk)
    take(line, noor, now + timedelta(hours=1))
    response = answer(desk, card)
    assert (response.status_code, response["Content-Type"]) == (409, "application/problem+json")
    problem = response.json()
    assert (problem["code"], problem["status"], "noor has it now" in problem["detail"]) == ("claim-lost", 409, True)
    assert problem["type"].endswith("#claim-lost") and problem["title"]


def test_skip_gives_it_to_others(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, now=now)
    (card,) = cards(desk)
    url = f"/console/claims/{card['claim']}/skip"
    assert send(desk, url).json() == {}
    assert (Claim.objects.get().end, cards(desk)) == (ClaimEnd.SKIPPED, [])
    assert send(desk, url).status_code == 409


def test_the_last_answers_newest_first_and_which_can_be_changed(
    desk: Client, line: Line, ines: User, noor: User, now: datetime
) -> None:
    arrive(line, 13, now=now - timedelta(hours=2))
    judge(line, noor, "ok", now)
    old = judge(line, ines, "ok", now - timedelta(hours=1))
    fresh_ones = [judge(line, ines, "dent", now) for _ in range(10)]
    found = desk.get("/lines/phones/console/last").json()["judgements"]
    assert [one["judgement"] for one in found] == [one.pk for one in reversed(fresh_ones)]
    assert all(one["revisable"] for one in found)
    assert found[0]["thumbnail"] == f"/items/{fresh_ones[-1].item_id}/thumbnail"
    Judgement.objects.filter(pk__gt=old.pk).delete()
    assert [one["revisable"] for one in desk.get("/lines/phones/console/last").json()["judgements"]] == [False]


def test_revise_replaces_and_refuses(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, now=now)
    first = answer(desk, cards(desk)[0]).json()["judgement"]
    response = send(desk, f"/console/judgements/{first}/revise", {"answer": "dent"})
    assert response.status_code == 200 and response.json()["judgement"] != first
    assert Item.objects.get().answer == "dent"
    again = send(desk, f"/console/judgements/{first}/revise", {"answer": "ok"})
    assert (again.status_code, again.json()["code"]) == (409, "not-revisable")


def test_reveal_shows_it_in_words_and_notes_that_it_was_seen(
    desk: Client, line: Line, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.ASSIST)
    arrive(line, now=now, says=SURE)
    (card,) = cards(desk)
    assert ("prediction" in card, card["reveal"], card["blind"]) == (False, "after", False)
    shown = send(desk, f"/console/claims/{card['claim']}/reveal").json()["prediction"]
    assert shown == {"answer": "ok", "words": "Very likely: ok", "regions": [], "heatmap": None}
    assert answer(desk, card).status_code == 200
    assert Judgement.objects.get().saw_prediction


def test_reveal_of_what_is_judged_blind_is_forbidden(desk: Client, line: Line, now: datetime) -> None:
    arrive(line, now=now, says=SURE)
    response = send(desk, f"/console/claims/{cards(desk)[0]['claim']}/reveal")
    assert (response.status_code, response.json()["code"]) == (403, "prediction-hidden")


@pytest.mark.parametrize("what", ["theirs", "over", "never was"])
def test_only_a_claim_that_i_hold_reveals(
    desk: Client, line: Line, noor: User, now: datetime, dial: Callable[..., Any], what: str
) -> None:
    dial(Mode.ASSIST)
    arrive(line, 2, now=now, says=SURE)
    claim = {"theirs": take(line, noor, now).pk, "over": cards(desk)[0]["claim"], "never was": 999}[what]
    if what == "over":
        send(desk, "/console/leave")
    response = send(desk, f"/console/claims/{claim}/reveal")
    assert (response.status_code, response.json()["code"]) == (409, "claim-lost")
    assert "words" not in response.text


def test_a_line_that_begins_to_show_at_once_shows_nothing_that_nobody_noted(
    desk: Client, line: Line, now: datetime, dial: Callable[..., Any]
) -> None:
    dial(Mode.ASSIST)
    arrive(line, now=now, says=SURE)
    cards(desk)
    Line.objects.update(reveal=Reveal.AT_ONCE)
    (card,) = cards(desk, resume=True)
    assert ("prediction" in card, card["reveal"]) == (False, "after")


ENDPOINTS = {
    "/lines/phones/console/": "GET",
    "/lines/phones/console/next": "POST",
    "/lines/phones/console/last": "GET",
    "/console/heartbeat": "POST",
    "/console/leave": "POST",
    "/console/claims/1/judge": "POST",
    "/console/claims/1/skip": "POST",
    "/console/claims/1/reveal": "POST",
    "/console/judgements/1/revise": "POST",
    "/recent/": "GET",
}


@pytest.mark.parametrize(("url", "method"), ENDPOINTS.items())
def test_only_inspectors_are_let_in(
    line: Line, max_: User, charlie: User, login: Login, client: Client, url: str, method: str
) -> None:
    for stranger in (max_, charlie):
        refused = login(stranger).generic(method, url)
        assert refused.status_code == 403
        if url not in {"/lines/phones/console/", "/recent/"}:
            assert (refused["Content-Type"], refused.json()["code"]) == ("application/problem+json", "forbidden")
    away = client.generic(method, url)
    assert (away.status_code, away["Location"]) == (302, f"/login/?next={url}")


@pytest.mark.parametrize(("url", "method"), ENDPOINTS.items())
def test_the_wrong_method_is_refused(desk: Client, line: Line, url: str, method: str) -> None:
    response = desk.generic("POST" if method == "GET" else "GET", url)
    assert (response.status_code, response["Allow"]) == (405, method)


@pytest.mark.parametrize(("url", "method"), [one for one in ENDPOINTS.items() if one[1] == "POST"])
def test_a_page_from_elsewhere_cannot_post(ines: User, line: Line, url: str, method: str) -> None:
    desk = Client(enforce_csrf_checks=True)
    desk.force_login(ines)
    assert send(desk, url).status_code == 403
    desk.get("/lines/phones/console/")
    token = desk.cookies["csrftoken"].value
    assert send(desk, url, **{"X-CSRFToken": token}).status_code != 403


@pytest.mark.parametrize("url", ["/lines/nowhere/console/next", "/lines/nowhere/console/last"])
def test_an_unknown_line_is_a_problem_and_not_a_page(desk: Client, db: None, url: str) -> None:
    response = desk.get(url) if url.endswith("last") else send(desk, url)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("key", ["", "x" * 65, "\x7f"])
def test_an_answer_needs_a_key_of_its_own(desk: Client, line: Line, now: datetime, key: str) -> None:
    arrive(line, now=now)
    url = f"/console/claims/{cards(desk)[0]['claim']}/judge"
    response = desk.post(url, '{"answer": "ok"}', content_type="application/json", headers={"Idempotency-Key": key})
    assert (response.status_code, "Idempotency-Key" in response.json()["detail"]) == (422, True)
    assert not Judgement.objects.exists()
