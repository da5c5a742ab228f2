"""Health, problems at unknown addresses, and the documents of the API."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from gateway.authentication import HasScope
from gateway.tokens import SCOPES
from tests.gateway.problems import problem

DOCUMENTS = ("api/schema/", "api/docs/")


def routes(patterns: list[Any] | None = None, before: str = "") -> dict[str, Any]:
    """Return every address with its view."""
    found: dict[str, Any] = {}
    for pattern in patterns or get_resolver().url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            found[address] = pattern.callback
    return found


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v2/lines/a/items", "/api/v1/items/not-a-uuid", "/api/v1/lines/a b/items", "/api/v1/a%0Ab"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address_of_the_api_is_a_problem(db: None, address: str, method: str) -> None:
    """For every method, and without the forgery check of pages: machines have no cookie to be abused."""
    client = Client(enforce_csrf_checks=True)
    problem(getattr(client, method)(address), 404, "not-found", unquote(address))


def test_a_method_that_an_address_does_not_take(api: Client, line: Any) -> None:
    problem(api.delete("/api/v1/lines/phones/items"), 405, "method-not-allowed", "DELETE")
    problem(api.put("/api/v1/lines/phones/items"), 405, "method-not-allowed")


def test_only_json_is_spoken(api: Client, line: Any) -> None:
    response = api.get("/api/v1/lines/phones/items", headers={"Accept": "text/html"})
    problem(response, 406, "not-acceptable")


def test_posting_needs_no_cookie(token: Any, line: Any) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token[1]}"})
    problem(client.post("/api/v1/lines/phones/items", b"x", content_type="image/jpeg"), 422, "not-an-image")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The OpenAPI document, made and validated without a warning."""
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return dict(yaml.safe_load(out.getvalue()))


def test_the_schema_names_every_address_and_nothing_else(schema: dict[str, Any]) -> None:
    ours = {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", address) for address in routes() if address.startswith("api/v1/")}
    assert set(schema["paths"]) == ours
    assert len(ours) >= 8


def test_every_operation_says_what_may_go_wrong_and_has_a_name_of_its_own(schema: dict[str, Any]) -> None:
    operations = [one for path in schema["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert {"items_create", "items_create_batch", "items_list", "items_retrieve", "items_explain", "items_appeal"} <= set(names)
    created = schema["paths"]["/api/v1/lines/{slug}/items"]["post"]
    assert set(created["requestBody"]["content"]) == {"image/jpeg", "image/png", "image/webp", "multipart/form-data"}
    assert {"201", "409", "413", "415", "422"} <= set(created["responses"])
    assert all(one["security"] == [{"bearer": []}] for one in operations)


def test_every_method_of_the_api_names_a_scope_that_there_is() -> None:
    """A view that forgot to name one would be open to every token."""
    for address, callback in routes().items():
        view = getattr(callback, "cls", None)
        if address.startswith("api/v1/"):
            methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS", "HEAD"}
            assert methods <= set(view.scopes), address
            assert set(view.scopes.values()) <= set(SCOPES)
            assert view.permission_classes == [HasScope]


@pytest.mark.parametrize("address", DOCUMENTS)
def test_the_documents_need_neither_login_nor_token(db: None, address: str) -> None:
    assert Client().get(f"/{address}").status_code == 200


@pytest.mark.parametrize("address", ["api/docs/", "api/docs/?script="])
def test_the_documents_work_without_the_internet(db: None, address: str) -> None:
    page = Client().get(f"/{address}").content.decode()
    outside = [url for url in re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^"'\s<>]*""", page) if "testserver" not in url]
    assert outside == []
    assert ("/static/drf_spectacular_sidecar/" in page) == ("script" not in address)


def test_every_page_but_the_open_ones_takes_a_login() -> None:
    """Private by default: what is open is listed here, so that a new opening is a decision."""
    open_pages = {
        address
        for address, callback in routes().items()
        if not getattr(callback, "login_required", True) and not address.startswith(("api/v1/", "admin/"))
    }
    # A page asks whether anything moved with a signed ticket instead of a session; metrics have a token of their own.
    assert open_pages == {"livez", "readyz", "metrics", "login/", "live/<str:ticket>/", *DOCUMENTS, "^api/"}
