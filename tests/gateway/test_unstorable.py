"""What no database column holds is refused, whichever database it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from policies.changes import active_policy
from policies.models import Line
from policies.modes import Mode

# SQLite takes a NUL like any other letter: nothing has that name there.
ANSWER = 404 if connection.vendor == "sqlite" else 400


@pytest.mark.parametrize("address", ["/recent/?line=%00", "/lines/phones/models/a%00b/"])
def test_a_nul_in_an_address_is_the_senders_mistake(
    line: Line, ines: User, max_: User, login: Callable[[User], Client], address: str
) -> None:
    person = ines if "recent" in address else max_
    assert login(person).get(address).status_code == ANSWER


def test_the_red_switch_does_not_fail_for_its_reason(
    line: Line, dial: Callable[..., Any], max_: User, login: Callable[[User], Client]
) -> None:
    dial(Mode.FULL)
    assert login(max_).post("/lines/phones/stop/", {"reason": "a\0b"}).status_code == 302
    assert (active_policy(line).mode, active_policy(line).reason) == (Mode.HUMAN_ONLY, "ab")
