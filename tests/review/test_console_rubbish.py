"""Whatever is sent to the console's addresses, the answer is a sentence about it and never a fault of the server."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policies.models import Line
from review.models import Claim, Judgement
from tests.review.browser import cards, send
from tests.review.people import arrive

QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["ok", "dent", "\ud800", "\x00", "x" * 501, 10**400])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)
SHARES = st.floats(0, 1) | SCALARS
REGION = st.fixed_dictionaries(
    {
        "label": st.sampled_from(["dent", "ok", "", "none"]) | SCALARS,
        "x": SHARES,
        "y": SHARES,
        "width": SHARES,
        "height": SHARES,
    }
)
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "answer": st.sampled_from(["ok", "dent", "", "crack"]) | ANYTHING,
        "regions": st.lists(REGION, max_size=3) | ANYTHING,
        "comment": st.text(max_size=12) | ANYTHING,
        "active_ms": st.floats(0, 1e9) | ANYTHING,
    },
)


@pytest.fixture
def desk(ines: User, line: Line, now: datetime) -> Client:
    """Ines's browser, and a queue that does not run dry."""
    arrive(line, 3, now=now)
    client = Client(raise_request_exception=False)
    client.force_login(ines)
    return client


def check(response: Any) -> None:
    """It went well, or the answer is a problem with a reason."""
    assert response.status_code < 500, response.content
    if response.status_code != 200:
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == response.status_code and problem["code"] and problem["detail"]


@QUICK
@given(answer=ANSWER)
@example(answer={"answer": "ok", "active_ms": 10**400})
@example(answer={"answer": "ok", "active_ms": float("inf")})
@example(answer={"answer": "ok", "active_ms": float("nan")})
@example(answer={"answer": "ok", "comment": "\ud800"})
@example(answer={"answer": "ok", "comment": "nul \x00"})
@example(answer={"answer": "\ud800"})
@example(answer={"answer": "ok", "regions": [{"label": "dent", "x": 0.9, "y": 0, "width": 0.2, "height": 1}]})
@example(answer={"answer": "ok", "regions": [{"label": "dent", "x": 0, "y": 0, "width": 0, "height": 1}]})
def test_any_answer_is_kept_or_refused_with_a_reason(desk: Client, line: Line, answer: dict[str, Any]) -> None:
    Judgement.objects.all().delete()
    Claim.objects.all().delete()
    line.referrals.update(state="open")
    (card,) = cards(desk)
    response = send(desk, f"/console/claims/{card['claim']}/judge", answer)
    check(response)
    assert Judgement.objects.count() == (1 if response.status_code == 200 else 0)
    if response.status_code == 200:
        kept = Judgement.objects.get()
        assert kept.answer in {"", "ok", "dent", "scratch"}
        for region in kept.regions:
            assert region["x"] >= 0 and region["x"] + region["width"] <= 1.001 and region["width"] > 0
    else:
        assert Claim.objects.get().ended_at is None, "the claim survives, so that the answer can be put right"


@QUICK
@given(body=st.dictionaries(st.sampled_from(["want", "resume", "claims", "kept", "answer", "page"]), ANYTHING) | ANYTHING)
@example(body={"claims": [2**63]})
@example(body={"claims": [-(2**70)]})
@example(body={"claims": list(range(101))})
@example(body={"claims": [True]})
@example(body={"kept": [2**63]})
def test_any_body_at_any_address(desk: Client, body: Any) -> None:
    for url in (
        "/lines/phones/console/next",
        "/console/heartbeat",
        "/console/leave",
        "/console/claims/999/judge",
        "/console/claims/999/skip",
        "/console/claims/999/reveal",
        "/console/judgements/999/revise",
    ):
        check(send(desk, url, body))


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[]", b"null", b"1", b'"text"', b"[" * 100_000, b"9" * 5000, b"{}" + b" " * 5_000_000]
)
@pytest.mark.parametrize("url", ["/lines/phones/console/next", "/console/heartbeat", "/console/claims/1/judge"])
def test_what_is_no_json_object_is_refused(desk: Client, url: str, body: bytes) -> None:
    response = send(desk, url, body)
    check(response)
    assert response.status_code in {413, 422}


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("url", ["/console/claims/{}/judge", "/console/claims/{}/skip", "/console/claims/{}/reveal"])
def test_a_number_too_large_for_a_row_is_a_claim_that_is_not_mine(desk: Client, url: str, number: int) -> None:
    response = send(desk, url.format(number), {"answer": "ok"})
    check(response)
    assert (response.status_code, response.json()["code"]) == (409, "claim-lost")


def test_a_judgement_too_large_for_a_row_is_not_mine(desk: Client) -> None:
    response = send(desk, f"/console/judgements/{10**30}/revise", {"answer": "ok"})
    check(response)
    assert response.json()["code"] == "not-revisable"


def test_json_in_another_dress(desk: Client) -> None:
    """A form, a file, a text: the body is what counts."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
        response = desk.post("/console/heartbeat", json.dumps({"claims": [1]}), content_type=kind)
        assert response.json()["lost"] == [1]
