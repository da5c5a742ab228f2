"""A serial number comes once, where the line says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gateway import routing
from gateway.models import Item
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode
from tests.conftest import photo
from tests.gateway.problems import problem

URL = "/api/v1/lines/phones/items"
Post = Callable[..., dict[str, Any]]


@pytest.fixture
def strict(line: Line) -> Line:
    """The line, where each serial number comes once."""
    Line.objects.update(unique_external_ids=True)
    line.refresh_from_db()
    return line


def again(api: Client, seed: int = 2, external_id: str = "SN-1") -> Any:
    return api.post(URL, photo(seed), content_type="image/jpeg", query_params={"external_id": external_id})


def test_a_line_that_does_not_say_so_takes_it_again(post: Post, line: Line) -> None:
    assert post(seed=1, external_id="SN-1")["id"] != post(seed=2, external_id="SN-1")["id"]


def test_the_second_is_a_conflict_and_leaves_nothing(
    api: Client, strict: Line, post: Post, request: pytest.FixtureRequest
) -> None:
    post(seed=1, external_id="SN-1")
    untouched = request.getfixturevalue("untouched")
    problem(again(api), 409, "external-id-taken", "SN-1")
    untouched()


def test_items_without_a_serial_number_do_not_collide(post: Post, strict: Line) -> None:
    assert post(seed=1)["id"] != post(seed=2)["id"]


def test_another_line_may_have_the_same(api: Client, strict: Line, post: Post, now: datetime) -> None:
    drafts = [ClassDraft("ok", "Ok"), ClassDraft("chip", "Chip")]
    create_line("tiles", "Tiles", "?", drafts, Draft(Mode.HUMAN_ONLY), now=now, unique_external_ids=True)
    post(seed=1, external_id="SN-1")
    post(seed=1, slug="tiles", external_id="SN-1")


def send(api: Client, ids: list[str]) -> list[dict[str, Any]]:
    """Post a batch with these serial numbers and return its results."""
    files = [SimpleUploadedFile("a.jpg", photo(seed)) for seed in range(len(ids))]
    fields = [{"external_id": one} if one else {} for one in ids]
    return api.post(f"{URL}/batch", {"image": files, "items": json.dumps(fields)}).json()["results"]


def test_a_taken_one_in_a_batch_does_not_harm_the_others(api: Client, strict: Line, post: Post) -> None:
    post(seed=9, external_id="SN-1")
    results = send(api, ["SN-1", "", "SN-2"])
    assert [one["status"] for one in results] == [409, 201, 201]
    assert results[0]["problem"]["code"] == "external-id-taken"
    assert Item.objects.count() == 3


def test_of_two_in_a_batch_the_first_is_taken(api: Client, strict: Line) -> None:
    assert [one["status"] for one in send(api, ["SN-1", "SN-1", "SN-1"])] == [201, 409, 409]
    assert Item.objects.count() == 1


def test_what_came_before_the_line_wanted_each_once_counts_too(api: Client, line: Line, post: Post) -> None:
    post(seed=1, external_id="SN-1")
    Line.objects.update(unique_external_ids=True)
    problem(again(api), 409, "external-id-taken", "SN-1")


def test_the_model_is_not_asked_about_a_conflict(
    api: Client, strict: Line, post: Post, dial: Callable[..., Any], model: Any
) -> None:
    dial(Mode.SHADOW)
    post(seed=1, external_id="SN-1")
    problem(again(api), 409, "external-id-taken")
    assert model.asked == 1


def test_who_slips_in_between_look_and_leap_is_found_by_the_database(
    api: Client, strict: Line, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where writers are not one at a time, both looks may find nothing; the constraint remains."""
    post(seed=1, external_id="SN-1")
    look, blind_looks = routing.refuse_taken_ids, [True, True]

    def refuse_taken_ids(*args: Any) -> None:
        if blind_looks:
            blind_looks.pop()
        else:
            look(*args)

    monkeypatch.setattr(routing, "refuse_taken_ids", refuse_taken_ids)
    problem(again(api), 409, "external-id-taken", "SN-1")
    assert Item.objects.count() == 1
