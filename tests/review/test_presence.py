"""Who is there is remembered for a moment, and for no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import presence
from gateway.standing import Standing
from policies.models import Line
from review import console


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


@pytest.fixture
def clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock of a memory that begins empty and keeps everything for a second."""
    settings.ROAD_CACHE_SECONDS = 1
    made = Clock()
    monkeypatch.setattr(presence, "_standing", Standing(presence._ask, made))
    # What else is remembered is of the line of another test.
    monkeypatch.setattr(console, "_lines", Standing(lambda slug: Line.objects.get(slug=slug), made))
    yield made


@pytest.fixture
def desk(line: Line, ines: User, login: Callable[[User], Client]) -> Client:
    """The browser in which Ines is logged in."""
    return login(ines)


def _allowed(desk: Client) -> int:
    return int(desk.post("/lines/phones/console/next", "{}", content_type="application/json").status_code)


def _log_out(ines: User, desk: Client) -> None:
    Client(headers={"Cookie": "; ".join(f"{name}={one.value}" for name, one in desk.cookies.items())}).post("/logout/")


def _deactivate(ines: User, desk: Client) -> None:
    User.objects.update(is_active=False)


def _change_password(ines: User, desk: Client) -> None:
    ines.set_password("another one")
    ines.save()


def _take_role(ines: User, desk: Client) -> None:
    ines.groups.clear()


@pytest.mark.parametrize(("end", "answer"), [(_log_out, 302), (_deactivate, 302), (_change_password, 302), (_take_role, 403)])
def test_whose_time_is_over_is_refused_after_a_second(
    desk: Client, ines: User, clock: Clock, end: Callable[[User, Client], None], answer: int
) -> None:
    assert _allowed(desk) == 200
    end(ines, desk)
    clock.now = 1.0
    assert _allowed(desk) == answer


@pytest.mark.parametrize("end", [_log_out, _deactivate])
def test_without_a_memory_at_once(desk: Client, ines: User, settings: Any, end: Callable[[User, Client], None]) -> None:
    settings.ROAD_CACHE_SECONDS = 0
    assert _allowed(desk) == 200
    end(ines, desk)
    assert _allowed(desk) == 302


def test_who_is_there_is_asked_once(desk: Client, clock: Clock, django_assert_num_queries: Any) -> None:
    desk.get("/lines/phones/console/last")
    # The answers; line and person are known.
    with django_assert_num_queries(1):
        desk.get("/lines/phones/console/last")


def test_what_a_request_does_to_its_person_stays_with_it(desk: Client, clock: Clock) -> None:
    request: Any = desk.get("/lines/phones/console/last").wsgi_request
    request.user.username = "somebody else"
    again: Any = desk.get("/lines/phones/console/last").wsgi_request
    assert again.user.username == "ines"


def test_a_made_up_session_is_nobody(line: Line, clock: Clock) -> None:
    stranger = Client(headers={"Cookie": "sessionid=made-up"})
    assert _allowed(stranger) == 302
