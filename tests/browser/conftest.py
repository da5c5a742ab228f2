"""A real browser before the real application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from tests.browser.find_chromium import find

# The synchronous Playwright keeps an event loop in this thread, and the ORM refuses to run beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Chromium in a closed network asks its maker's hosts again and again unless told not to.
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium that there is; without one the tests are skipped, and in CI that is a failure."""
    path = find()
    if path is None:
        reason = "no Chromium: install one, or name it in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return {**browser_type_launch_args, "executable_path": path, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A plain office screen, in the dark."""
    return {
        **browser_context_args,
        "viewport": {"width": 1366, "height": 768},
        "color_scheme": "dark",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """What the page complained about: refused scripts, missing files, exceptions. The test fails where there is any."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


@pytest.fixture
def enter(live_server: Any) -> Callable[[BrowserContext, User], None]:
    """Log a person in without the form."""

    def enter_as(context: BrowserContext, user: User) -> None:
        client = Client()
        client.force_login(user)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])

    return enter_as
