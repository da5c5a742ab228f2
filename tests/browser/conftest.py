"""A real browser before the real application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from gateway.models import ApiToken
from review import claims
from tests.browser.camera import Camera
from tests.browser.console import Console
from tests.browser.errors import watched
from tests.browser.find_chromium import find
from tests.browser.stage import PATIENCE_MS, log_in, serving

# The synchronous Playwright keeps an event loop in this thread, and the ORM refuses to run beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# A busy machine may take its time; nothing here is told by how long it took.
expect.set_options(timeout=PATIENCE_MS)

# The page's clock stands still, and that by which a request gives up is none of its own: it would run on a slow machine.
NO_TIMEOUTS = "AbortSignal.timeout = () => new AbortController().signal;"

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
def site(file_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the running application. The test's own database is in a file from here on.

    The page's clock stands still while the server's runs: a claim must not run out because the machine is slow.
    """
    monkeypatch.setattr(claims, "lease", lambda: timedelta(hours=1))
    with serving() as url:
        yield url


@pytest.fixture(autouse=True)
def _stage(site: str) -> None:
    """Build the stage before the cast comes, and take it down after the last page is closed."""


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What the pages complained about: refused scripts, missing files, exceptions. The test fails where there is any."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def page_of(new_context: Callable[..., BrowserContext], site: str, errors: list[str]) -> Callable[..., Page]:
    """Open a browser for a person, or for nobody, and watch its page: `page_of(ines)`."""

    def open_for(user: User | None = None, **how: Any) -> Page:
        context = new_context(**how)
        context.set_default_timeout(PATIENCE_MS)
        if user is not None:
            log_in(context, site, user)
        return watched(context.new_page(), errors)

    return open_for


@pytest.fixture
def console_of(page_of: Callable[..., Page], site: str) -> Callable[..., Console]:
    """Sit a person down at the console of the line: `console_of(ines)`.

    The page's time stands still until it is wound forward, however slow the machine is, and with it its frames: what is drawn
    is drawn with the next `console.frame()`. Where `clock` is False it runs. `prepare(page)` is called before it is opened.
    """

    def sit_down(user: User, *, clock: bool = True, prepare: Callable[[Page], None] | None = None) -> Console:
        page = page_of(user)
        if clock:
            page.add_init_script(NO_TIMEOUTS)
            start = timezone.now()
            page.clock.install(time=start)
            page.clock.pause_at(start + timedelta(seconds=1))
        if prepare:
            prepare(page)
        page.goto(f"{site}/lines/phones/console/")
        console = Console(page, clock=clock)
        console.started()
        return console

    return sit_down


@pytest.fixture
def camera(site: str, token: tuple[ApiToken, str]) -> Camera:
    """A machine with a token of its own, at the other end of the wire."""
    return Camera(site, token[1])
