"""The console's JSON goes through a short chain of middleware, and nobody can tell: both ways give the same answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError
from django.test import Client

from gateway import chains
from policies.models import Line
from review import claims
from tests.review.browser import answer, cards, send
from tests.review.people import arrive

NEXT = "/lines/phones/console/next"
# What is another one each time, though it is the same.
OWN = {
    "claim",
    "held",
    "referral",
    "item",
    "photo",
    "thumbnail",
    "external_id",
    "judgement",
    "expires_at",
    "received_at",
    "at",
    "queue",
}
OWN_HEADERS = {"X-Request-ID", "Content-Length"}


@pytest.fixture
def both(line: Line, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Client]]:
    """Browsers that nobody is logged in to: one whose answers go the long way, and one whose go the short one."""
    arrive(line, 6, now=now)

    def made() -> list[Client]:
        long, short = (Client(raise_request_exception=False, enforce_csrf_checks=True) for _ in range(2))
        handler: Any = long.handler
        handler.load_middleware()
        way = handler._middleware_chain

        def answered(request: Any) -> Any:
            with monkeypatch.context() as patch:
                patch.setattr(chains, "CONSOLE", re.compile(r"(?!)"))
                return way(request)

        handler._middleware_chain = answered
        return [long, short]

    return made


@pytest.fixture
def desks(both: Callable[[], list[Client]], ines: User) -> list[Client]:
    """The same, with Ines logged in; each has seen the console, and sends the token that it was given with it."""
    found = both()
    for client in found:
        client.force_login(ines)
        client.get("/lines/phones/console/")
        client.defaults["HTTP_X_CSRFTOKEN"] = client.cookies["csrftoken"].value
    return found


def _same(answers: list[Any]) -> Any:
    long, short = map(_told, answers)
    assert long == short
    return answers[1]


def _told(response: Any) -> Any:
    headers = {name: value for name, value in response.headers.items() if name not in OWN_HEADERS}
    assert response.headers.get("Content-Length", str(len(response.content))) == str(len(response.content))
    assert "X-Request-ID" in response.headers
    cookies = {name: {key: one[key] for key in one if key != "expires"} for name, one in response.cookies.items()}
    is_json = "json" in headers.get("Content-Type", "")
    # The token of a page's forms is another one each time.
    body = _without_own(json.loads(response.content)) if is_json else re.sub(rb'"\w{64}"', b"", response.content)
    return response.status_code, "Content-Length" in response.headers, headers, cookies, body


def _without_own(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: None if name in OWN else _without_own(value) for name, value in body.items()}
    return [_without_own(one) for one in body] if isinstance(body, list) else body


def _claimed(desk: Client) -> int:
    (card,) = cards(desk)
    return int(card["claim"])


def _released(desk: Client) -> Any:
    _claimed(desk)
    return send(desk, "/console/leave", {})


def _revised(desk: Client) -> Any:
    judgement = answer(desk, cards(desk)[0]).json()["judgement"]
    return send(desk, f"/console/judgements/{judgement}/revise", {"answer": "dent"})


def _over(desk: Client) -> Any:
    desk.session.flush()
    return send(desk, NEXT)


WORK: dict[str, tuple[int, Callable[[Client], Any]]] = {
    "next": (200, lambda desk: send(desk, NEXT, {"want": 1})),
    "judge": (200, lambda desk: answer(desk, cards(desk)[0])),
    "skip": (200, lambda desk: send(desk, f"/console/claims/{_claimed(desk)}/skip")),
    "reveal what is hidden": (403, lambda desk: send(desk, f"/console/claims/{_claimed(desk)}/reveal")),
    "keep": (200, lambda desk: send(desk, "/console/heartbeat", {"claims": [_claimed(desk), 7]})),
    "give back": (200, _released),
    "undo": (200, _revised),
    "last": (200, lambda desk: desk.get("/lines/phones/console/last")),
    "an unknown claim": (409, lambda desk: send(desk, "/console/claims/999/judge", {"answer": "ok"})),
    "a number too large": (409, lambda desk: send(desk, f"/console/claims/{10**30}/judge", {"answer": "ok"})),
    "an unknown line": (404, lambda desk: send(desk, "/lines/none/console/next")),
    "an unknown class": (422, lambda desk: answer(desk, cards(desk)[0], "none")),
    "no JSON": (422, lambda desk: send(desk, NEXT, b"{")),
    "a form": (422, lambda desk: desk.post(NEXT, {"want": "1"})),
    "the wrong method": (405, lambda desk: desk.get(NEXT)),
    "no such address": (404, lambda desk: send(desk, "/console/none")),
    "no such address, closed": (404, lambda desk: send(desk, "/console/none/")),
    "without its slash": (404, lambda desk: desk.get("/console")),
    "too long": (413, lambda desk: desk.post(NEXT, "{}", content_type="application/json", CONTENT_LENGTH=str(10**9))),
    "longer than Django takes": (413, lambda desk: desk.post(NEXT, b" " * (4 * 1024**2 + 1), content_type="application/json")),
    "another host": (400, lambda desk: send(desk, NEXT, Host="evil.example")),
    "a wrong token": (403, lambda desk: send(desk, NEXT, **{"X-CSRFToken": "x" * 32})),
    "half a token": (403, lambda desk: send(desk, NEXT, **{"X-CSRFToken": "x"})),
    "from elsewhere": (403, lambda desk: send(desk, NEXT, Origin="https://evil.example")),
    "no cookie": (403, lambda desk: (desk.cookies.pop("csrftoken"), send(desk, NEXT))[1]),
    "a session that is over": (302, _over),
    "its request's name": (200, lambda desk: send(desk, NEXT, {"want": 1}, **{"X-Request-ID": "mine"})),
}  # fmt: skip


@pytest.mark.parametrize("name", WORK)
def test_both_ways_answer_alike(name: str, desks: list[Client]) -> None:
    status, work = WORK[name]
    assert _same([work(desk) for desk in desks]).status_code == status


@pytest.mark.parametrize("path", [NEXT, "/console/heartbeat", "/console/claims/1/judge"])
def test_who_is_not_logged_in(path: str, both: Callable[[], list[Client]]) -> None:
    browsers = both()
    for browser in browsers:
        browser.get("/login/")
        browser.defaults["HTTP_X_CSRFTOKEN"] = browser.cookies["csrftoken"].value
    assert _same([send(browser, path) for browser in browsers])["Location"].startswith("/login/")


def test_a_manager_judges_nothing(desks: list[Client], max_: User) -> None:
    for desk in desks:
        desk.force_login(max_)
    assert _same([send(desk, NEXT) for desk in desks]).json()["code"] == "forbidden"


@pytest.mark.parametrize(("error", "status"), [(ZeroDivisionError, 500), (DataError, 400)])
def test_what_nobody_foresaw(error: type[Exception], status: int, desks: list[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(claims, "take", broken)
    assert _same([send(desk, NEXT) for desk in desks]).status_code == status


def test_what_a_document_may_do_is_said_of_documents_alone(desks: list[Client]) -> None:
    desk = desks[1]
    assert "Content-Security-Policy" not in send(desk, NEXT)
    refused = send(desk, NEXT, **{"X-CSRFToken": "x" * 32})
    assert refused["Content-Security-Policy"] and refused["X-Frame-Options"] == "DENY"
    assert refused["X-Content-Type-Options"] == "nosniff"


def test_only_what_the_console_asks_for_goes_the_short_way() -> None:
    short = [NEXT, "/lines/a-b_1/console/last", "/console/heartbeat", "/console/claims/7/judge"]
    long = ["/lines/phones/console/", "/lines/phones/console/next/", "/lines/a/b/console/next", "/recent/", "/x/console/next"]
    assert all(map(chains.CONSOLE.match, short))
    assert not any(map(chains.CONSOLE.match, long))
