"""Costs with a fixed part are paid once a batch: the number of statements does not grow with the number of items."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway import recording
from gateway.models import ApiToken
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo

URL = "/api/v1/lines/phones/items"


@pytest.fixture(autouse=True)
def token_used_a_moment_ago(token: tuple[ApiToken, str], now: Any) -> None:
    """The first use in a minute writes a row, which is not what is counted here."""
    ApiToken.objects.update(last_used_at=now)


def statements(call: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert call().status_code in {200, 201}
    return [query["sql"] for query in found.captured_queries]


def batch(api: Client, start: int, count: int) -> Callable[[], Any]:
    files = [SimpleUploadedFile("a.jpg", photo(start + number)) for number in range(count)]
    return lambda: api.post(f"{URL}/batch", {"image": files})


@pytest.mark.parametrize(("mode", "audit"), [(Mode.HUMAN_ONLY, 0.0), (Mode.ASSIST, 1.0), (Mode.FULL, 1.0)])
def test_a_batch_of_eight_takes_as_many_as_a_batch_of_two(
    api: Client, dial: Callable[..., Any], model: Model, mode: Mode, audit: float
) -> None:
    dial(mode, audit_rate=audit)
    two, eight = statements(batch(api, 0, 2)), statements(batch(api, 10, 8))
    assert len(two) == len(eight), "\n".join(eight)


def test_one_post_takes_few(api: Client, dial: Callable[..., Any], model: Model) -> None:
    """Token, line, policy, champion; begin, item, prediction, decision, event, policy again, commit; challenger.

    Where writers are not one at a time, the policy is locked besides.
    """
    dial(Mode.FULL)
    found = statements(lambda: api.post(URL, photo(), content_type="image/jpeg"))
    assert len(found) <= 13 + (connection.vendor == "postgresql"), "\n".join(found)


def test_a_list_of_fifty_takes_as_many_as_a_list_of_five(api: Client, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    batch(api, 0, 50)()
    five = statements(lambda: api.get(f"{URL}?limit=5"))
    fifty = statements(lambda: api.get(f"{URL}?limit=50"))
    assert len(api.get(f"{URL}?limit=50").json()["results"]) == 50
    assert len(five) == len(fifty) <= 6, "\n".join(fifty)


def test_a_list_does_not_fetch_heatmaps(api: Client, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    batch(api, 0, 2)()
    assert not [sql for sql in statements(lambda: api.get(URL)) if '"heatmap"' in sql]


def test_what_is_long_about_a_model_is_not_fetched_with_items(api: Client, dial: Callable[..., Any], model: Model) -> None:
    """Its metrics and its card are for its own page: not for every post, and not once an item in a list."""
    dial(Mode.FULL)
    url = api.post(URL, photo(), content_type="image/jpeg")["Location"]
    for call in (lambda: api.post(URL, photo(1), content_type="image/jpeg"), lambda: api.get(URL), lambda: api.get(url)):
        found = statements(call)
        assert any('"inference_modelversion"' in sql for sql in found)
        assert not [sql for sql in found if '"metrics"' in sql or '"card"' in sql]


def test_one_item_takes_few(api: Client, dial: Callable[..., Any], model: Model) -> None:
    dial(Mode.FULL)
    url = api.post(URL, photo(), content_type="image/jpeg")["Location"]
    assert len(statements(lambda: api.get(url))) <= 3


def test_ids_that_come_once_are_written_in_their_order(api: Client, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches with the same ids the other way round would each wait for the other on PostgreSQL."""
    Line.objects.update(unique_external_ids=True)
    order = ["SN-2", "SN-3", "SN-1"]
    files = [SimpleUploadedFile("a.jpg", photo(number)) for number in range(3)]
    fields = {"image": files, "items": json.dumps([{"external_id": one} for one in order])}
    written: list[str] = []
    insert = recording._items.all
    monkeypatch.setattr(
        recording._items, "all", lambda items: insert([written.append(item.external_id) or item for item in items])
    )
    assert api.post(f"{URL}/batch", fields).status_code == 200
    assert written == sorted(order)
