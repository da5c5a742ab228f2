"""Machines' tokens: who is let in, for what, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway import authentication
from gateway.errors import BadField
from gateway.models import ApiToken
from gateway.roles import Roles, roles_of
from gateway.tokens import SCOPES, create_token, revoke_token
from policies.models import Line
from tests.conftest import photo
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items"
Token = tuple[ApiToken, str]


def client_of(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def refused(client: Client, words: str) -> None:
    for response in (client.get(URL), client.post(URL, photo(), content_type="image/jpeg")):
        problem(response, 401, response.json()["code"], words)
        assert response["WWW-Authenticate"] == 'Bearer realm="sluice"'


@pytest.mark.parametrize("value", ["", "Bearer", "Basic aW5lczpw", "Token slc_x", "slc_x"])
def test_without_a_token_nobody_gets_in(line: Line, value: str, untouched: Callable[[], None]) -> None:
    headers = {"Authorization": value} if value else {}
    client = Client(headers=headers)
    response = client.post(URL, photo(), content_type="image/jpeg")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == 'Bearer realm="sluice"'
    untouched()


@pytest.mark.parametrize("secret", ["slc_unknown", "schl\xfcssel", "x" * 5_000])
def test_an_unknown_token(line: Line, secret: str) -> None:
    refused(client_of(secret), "There is no such token")


def test_a_login_is_no_token(line: Line, max_: Any, login: Callable[..., Client]) -> None:
    assert login(max_).get(URL).status_code == 401


def test_a_revoked_token(line: Line, token: Token, now: datetime) -> None:
    client = client_of(token[1])
    assert client.get(URL).status_code == 200
    assert revoke_token(token[0], by=None, now=now)
    refused(client, "revoked")
    assert not revoke_token(token[0], by=None, now=now + timedelta(days=1))
    token[0].refresh_from_db()
    assert token[0].revoked_at == now


def test_an_expired_token(line: Line, now: datetime) -> None:
    values = {"scopes": list(SCOPES), "line": None, "by": None, "now": now}
    old = create_token("old", **values, expires_at=now - timedelta(seconds=1))[1]
    young = create_token("young", **values, expires_at=now + timedelta(hours=1))[1]
    refused(client_of(old), "expired")
    assert client_of(young).get(URL).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_whatever_its_case(line: Line, token: Token, scheme: str) -> None:
    assert Client(headers={"Authorization": f"{scheme}  {token[1]} "}).get(URL).status_code == 200


def test_each_call_names_the_scope_that_it_takes(line: Line, api: Client, now: datetime) -> None:
    item = api.post(URL, photo(), content_type="image/jpeg").json()["id"]
    calls: dict[str, Callable[[Client], Any]] = {
        "items:write": lambda client: client.post(URL, photo(), content_type="image/jpeg"),
        "items:read": lambda client: client.get(URL),
        "labels:read": lambda client: client.get("/api/v1/lines/phones/labels"),
    }
    more: list[tuple[str, Callable[[Client], Any]]] = [
        *calls.items(),
        ("items:read", lambda client: client.get(f"/api/v1/items/{item}")),
        ("items:read", lambda client: client.head(f"/api/v1/items/{item}")),
        ("items:read", lambda client: client.get(f"/api/v1/items/{item}/explanation")),
        ("items:write", lambda client: client.post(f"{URL}/batch")),
        ("items:write", lambda client: client.post(f"/api/v1/items/{item}/appeal")),
    ]
    for scope, call in more:
        others = sorted(set(SCOPES) - {scope})
        secret = create_token(f"not {scope}", scopes=others, line=None, by=None, now=now)[1]
        response = call(client_of(secret))
        assert response.status_code == 403, scope
        if response.request["REQUEST_METHOD"] != "HEAD":
            problem(response, 403, "scope-missing", scope, ", ".join(others))
        ApiToken.objects.filter(name=f"not {scope}").delete()


def test_a_token_of_another_line_learns_only_that_there_is_none(
    line: Line, api: Client, now: datetime, untouched: Callable[[], None]
) -> None:
    other = Line.objects.create(slug="tiles", name="Tiles", question="?", created_at=now)
    stranger = client_of(create_token("tiles", scopes=list(SCOPES), line=other, by=None, now=now)[1])
    problem(stranger.post(URL, photo(), content_type="image/jpeg"), 404, "line-unknown", "'phones'")
    problem(stranger.get(URL), 404, "line-unknown")
    untouched()
    item = api.post(URL, photo(), content_type="image/jpeg").json()["id"]
    for response in (
        stranger.get(f"/api/v1/items/{item}"),
        stranger.get(f"/api/v1/items/{item}/explanation"),
        stranger.post(f"/api/v1/items/{item}/appeal", json.dumps({"reason": "x"}), content_type="application/json"),
    ):
        problem(response, 404, "item-unknown", item)


def test_a_token_of_the_line_may(line: Line, now: datetime) -> None:
    own = client_of(create_token("own", scopes=list(SCOPES), line=line, by=None, now=now)[1])
    assert own.post(URL, photo(), content_type="image/jpeg").status_code == 201


def test_the_last_use_is_written_at_most_once_a_minute(
    line: Line, api: Client, token: Token, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [now]
    monkeypatch.setattr(authentication.timezone, "now", lambda: clock[0])
    uses = []
    for seconds in (0, 30, 59, 61, 90, 122):
        clock[0] = now + timedelta(seconds=seconds)
        with CaptureQueriesContext(connection) as found:
            api.get(URL)
        uses.append(any(query["sql"].startswith('UPDATE "gateway_apitoken"') for query in found.captured_queries))
    assert uses == [True, False, False, True, False, True]
    token[0].refresh_from_db()
    assert token[0].last_used_at == now + timedelta(seconds=122)


def test_the_secret_is_nowhere_in_the_database(token: Token) -> None:
    row, secret = token
    kept = serializers.serialize("json", ApiToken.objects.all())
    assert secret not in kept
    # What is shown of it is too short to guess the rest: 8 of 43 characters.
    assert row.prefix == secret[:12]
    assert secret[12:] not in kept
    assert len(secret) == 47


def test_two_tokens_have_two_secrets(now: datetime, db: None) -> None:
    secrets = {create_token(str(n), scopes=["items:read"], line=None, by=None, now=now)[1] for n in range(5)}
    assert len(secrets) == 5


@pytest.mark.parametrize(
    ("name", "scopes", "words"),
    [
        ("x", [], "one or more of the scopes"),
        ("x", ["items:delete"], "not items:delete"),
        ("x", ["items:read", "items:delete"], "not items:delete"),
        ("  ", ["items:read"], "needs a name"),
        (" camera ", ["items:read"], "called 'camera' already"),
    ],
)
def test_a_token_that_cannot_be(token: Token, now: datetime, name: str, scopes: list[str], words: str) -> None:
    with pytest.raises(BadField) as refusal:
        create_token(name, scopes=scopes, line=None, by=None, now=now)
    assert words in refusal.value.detail
    assert ApiToken.objects.count() == 1


def test_a_token_has_no_role_among_people(token: Token) -> None:
    """It stands where the framework expects a user, also where an error page asks who is looking."""
    assert roles_of(token[0]) == Roles(inspector=False, manager=False)
