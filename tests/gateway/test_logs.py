"""Log lines: which request, item, line and caller they are about; never a photo's bytes nor a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from celery import shared_task
from django.contrib.auth.models import User
from django.test import Client

from gateway import background, log_context
from gateway.log_context import JsonFormatter, PlainFormatter
from gateway.log_printer import JsonPrinter
from gateway.models import ApiToken
from policies.models import Line
from policies.modes import Mode
from tests.conftest import Model, photo

URL = "/api/v1/lines/phones/items"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(settings: Any, media_folder: Any) -> Iterator[Lines]:
    """Everything that is logged from here on, down to the smallest, as JSON."""
    settings.ACCESS_LOG = True
    out = io.StringIO()
    handler, root = logging.StreamHandler(out), logging.getLogger()
    handler.setFormatter(JsonFormatter())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def access(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in found if line["logger"] == "gateway.access"]


def test_one_line_a_request_says_what_it_was_about(line: Line, api: Client, lines: Lines) -> None:
    body = api.post(f"{URL}?external_id=SN-1", photo(), content_type="image/jpeg", headers={"X-Request-ID": "cam-1.7"}).json()
    (told,) = access(lines())
    assert 0 < told.pop("ms") < 60_000 and datetime.fromisoformat(told.pop("at")).tzinfo is not None
    assert told == {
        "level": "INFO",
        "logger": "gateway.access",
        "message": f"POST {URL} 201",
        "request_id": "cam-1.7",
        "token": "camera",
        "items": [body["id"]],
        "method": "POST",
        "path": URL,
        "status": 201,
        "line": "phones",
    }


def test_whoever_is_logged_in_is_named(line: Line, ines: User, login: Any, lines: Lines) -> None:
    login(ines).get("/lines/phones/items/")
    (told,) = access(lines())
    assert (told["user"], told["line"], told["status"]) == ("ines", "phones", 200)


@pytest.mark.parametrize("said", ["", "a b", "x" * 65, 'a"}{', "ü", "-a", "a\tb"])
def test_an_id_that_is_not_sane_is_replaced(db: None, lines: Lines, said: str) -> None:
    given = Client().get("/livez", headers={"X-Request-ID": said})["X-Request-ID"]
    assert given != said and len(given) == 32
    assert Client().get("/livez", headers={"X-Request-ID": "trace:1-2_3"})["X-Request-ID"] == "trace:1-2_3"
    assert access(lines()) == [], "nobody reads of health checks"


def test_one_request_leaves_nothing_to_the_next(line: Line, api: Client, lines: Lines) -> None:
    api.post(URL, photo(), content_type="image/jpeg")
    Client().get("/nowhere")
    first, second = access(lines())
    assert first["request_id"] != second["request_id"]
    assert not {"token", "items", "line"} & set(second)
    assert log_context.bound() == {}


def test_an_address_cannot_pretend_to_be_another_line(db: None, lines: Lines) -> None:
    Client().get("/nowhere%0A2026-11-21 INFO all is well")
    (told,) = access(lines())
    assert told["path"] == "/nowhere%0A2026-11-21%20INFO%20all%20is%20well"


def test_a_warning_in_the_middle_has_the_same_id(line: Line, model: Model, dial: Any, api: Client, lines: Lines) -> None:
    dial(Mode.FULL)
    model.fails = True
    api.post(URL, photo(), content_type="image/jpeg", headers={"X-Request-ID": "r-1"})
    (warned,) = [one for one in lines() if one["logger"] == "gateway.routing"]
    assert (warned["request_id"], warned["token"], warned["level"]) == ("r-1", "camera", "WARNING")


def test_no_secret_and_no_photo_is_ever_logged(
    line: Line, token: tuple[ApiToken, str], api: Client, ines: User, lines: Lines, settings: Any
) -> None:
    settings.METRICS_TOKEN = "metrics-secret-0123456789"
    data = photo(3)
    api.post(f"{URL}?external_id=SN-9&metadata=%7B%22name%22%3A%22Jane%22%7D", data, content_type="image/jpeg")
    api.post(URL, data[:-20], content_type="image/jpeg")
    api.post(f"{URL}?serial=Jane", data, content_type="image/jpeg")
    Client(headers={"Authorization": "Bearer slc_guessed"}).get(URL)
    Client().post("/login/", {"username": "ines", "password": "ines-password"})
    Client(headers={"Authorization": "Bearer metrics-secret-0123456789"}).get("/metrics")
    said = json.dumps([one for one in lines() if one["logger"] != "django.db.backends"])
    assert len(access(lines())) == 5
    for secret in (token[1], "slc_guessed", "ines-password", "metrics-secret", "Jane", "SN-9", "JFIF", "\\u00ff\\u00d8"):
        assert secret not in said, secret


def test_a_traceback_is_in_the_line(lines: Lines) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("somewhere").exception("it broke")
    (told,) = lines()
    assert told["message"] == "it broke" and told["traceback"].endswith("ValueError: two\nlines")


@shared_task
def says_something() -> str:
    """A task as the product has them."""
    logging.getLogger("somewhere").warning("working")
    return ""


def test_a_task_is_named_and_goes_under_the_request_that_asked_for_it(lines: Lines) -> None:
    with log_context.only(request_id="r-2", token="camera"):
        background.wake(says_something)
    (told,) = [one for one in lines() if one["logger"] == "somewhere"]
    assert told["task"].endswith("says_something") and told["task_id"]
    assert told["request_id"] == "r-2" and "token" not in told


def test_a_message_takes_the_id_of_its_request_along(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(says_something, "apply_async", lambda args, headers: sent.append(headers))
    background.wake(says_something)
    with log_context.only(request_id="r-3"):
        background.wake(says_something)
    assert sent == [{}, {"request_id": "r-3"}]


def test_people_read_what_it_is_about_in_brackets() -> None:
    record = logging.LogRecord("gateway.routing", logging.WARNING, "", 0, "no answer", None, None)
    formatter = PlainFormatter("{levelname} {name}: {message}", style="{")
    assert formatter.format(record) == "WARNING gateway.routing: no answer"
    with log_context.only(request_id="r-4", items=["a", "b", "c"]):
        assert formatter.format(record) == "WARNING gateway.routing: no answer [request_id=r-4 items=a+2]"


def test_serve_writes_json_and_nothing_else() -> None:
    class Said:
        name, time = "worker", datetime.fromisoformat("2026-11-21T08:00:00+00:00")

        def __init__(self, data: Any) -> None:
            self.data = data

    out = io.StringIO()
    printer = JsonPrinter(out)
    printer.write(Said(b'{"at": "x", "message": "ours"}\n'))
    printer.write(Said("celery says\n{not json}"))
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["message"] for one in found] == ["ours", "celery says", "{not json}"]
    assert found[1]["logger"] == "process.worker"
