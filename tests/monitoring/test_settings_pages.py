"""A manager opens a line, sets it and retires it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway.models import Event
from policies.changes import active_policy
from policies.models import Line

Login = Callable[[User], Client]


def form_of(line: Line, **changes: Any) -> dict[str, Any]:
    """Return what the settings page would send."""
    data: dict[str, Any] = {
        "name": line.name,
        "question": line.question,
        "reveal": line.reveal,
        "retrain_after_labels": 0,
        "retrain_after_hours": 0,
        "approvals": 0,
    }
    for entry in line.classes.all():
        for name in ("name", "definition", "examples", "counter_examples"):
            data[f"{entry.key}-{name}"] = getattr(entry, name)
    return data | changes


def test_a_new_line_starts_at_the_safe_end_of_the_dial(login: Login, max_: User) -> None:
    response = login(max_).post(
        "/lines/new/", {"name": "Phone backs", "question": "Is it fine?", "classes": "OK\nDeep scratch\n"}
    )
    line = Line.objects.get(slug="phone-backs")
    assert response.url == "/lines/phone-backs/settings/"
    assert active_policy(line).mode == "human_only"
    assert list(line.classes.values_list("key", "is_negative")) == [("ok", True), ("deep_scratch", False)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": "OK"}, "between 2 and"),
        ({"classes": "OK\nok"}, "same key"),
        ({"classes": "OK\n???"}, "letters or digits"),
        ({"name": "!!!"}, "letters or digits"),
        ({"name": "New"}, "taken by a page"),
        ({"name": "Phones"}, "already"),
    ],
)
def test_a_line_that_cannot_be_says_why(login: Login, max_: User, line: Line, changes: dict[str, str], words: str) -> None:
    form = {"name": "Backs", "question": "Is it fine?", "classes": "OK\nScratch"} | changes
    response = login(max_).post("/lines/new/", form)
    assert response.status_code == 422
    assert words in response.text
    assert Line.objects.count() == 1


def test_settings_and_label_book_are_changed_with_one_event(login: Login, max_: User, line: Line) -> None:
    changes = {"reveal": "at_once", "keep_zoom": "on", "scratch-definition": "A thin line", "retrain_after_labels": 50}
    login(max_).post("/lines/phones/settings/save/", form_of(line, **changes))
    line.refresh_from_db()
    assert (line.reveal, line.keep_zoom, line.retrain_after_labels) == ("at_once", True, 50)
    assert line.classes.get(key="scratch").definition == "A thin line"
    event = Event.objects.get(kind="line.changed")
    assert (event.actor, event.data["label_book"]) == ("user:max", ["scratch"])
    assert event.data["from"]["reveal"] == "after"


def test_the_same_again_leaves_no_event(login: Login, max_: User, line: Line) -> None:
    login(max_).post("/lines/phones/settings/save/", form_of(line))
    assert not Event.objects.exists()


def test_what_is_wrong_changes_nothing(login: Login, max_: User, line: Line) -> None:
    response = login(max_).post("/lines/phones/settings/save/", form_of(line, reveal="sometimes", name="Other"))
    assert response.status_code == 422
    line.refresh_from_db()
    assert line.name == "Phones"


def test_a_retired_line_takes_no_items_until_it_is_opened_again(
    login: Login, max_: User, line: Line, post: Callable[..., Any]
) -> None:
    client = login(max_)
    client.post("/lines/phones/settings/retire/", {"retired": "1"})
    post(status=409)
    client.post("/lines/phones/settings/retire/", {"retired": "0"})
    post()
    assert list(Event.objects.filter(kind__startswith="line.").values_list("kind", flat=True)) == ["line.retired", "line.open"]


@pytest.mark.parametrize("path", ["/lines/new/", "/lines/phones/settings/"])
def test_only_managers_get_in(login: Login, ines: User, line: Line, path: str) -> None:
    assert login(ines).get(path).status_code == 403
    assert Client().get(path).status_code == 302


def test_fewer_approvals_take_an_operator(login: Login, max_: User, line: Line) -> None:
    manager = login(max_)
    manager.post("/lines/phones/settings/save/", form_of(line, approvals=2))
    refused = manager.post("/lines/phones/settings/save/", form_of(line, approvals=1, question="Another?"))
    assert refused.status_code == 422
    assert "2 people must agree to a change" in refused.text
    line.refresh_from_db()
    assert (line.approvals, line.question) == (2, "Is there a defect?")
    User.objects.filter(pk=max_.pk).update(is_superuser=True)
    manager.post("/lines/phones/settings/save/", form_of(line, approvals=0))
    line.refresh_from_db()
    assert line.approvals == 0
