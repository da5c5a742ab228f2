"""Every page, dark and light, wide and in portrait: nothing refused or missing, accessible by axe, no sideways scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from gateway.roles import INSPECTORS, MANAGERS
from gateway.tokens import create_token
from monitoring.models import KnownTruth
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.modes import Mode
from tests.browser.errors import expected, watched
from tests.browser.stage import PATIENCE_MS, log_in, serving
from tests.browser.town import furnish
from tests.conftest import CLASSES
from tests.races import on_a_file

TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# The themes differ in their colours alone, so the other rules need not be asked again.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, "resultTypes": ["violations"]}
# Changing colours are on their way for a frame; the measuring must not begin before they are there.
DRESS = """(theme) => {
    document.documentElement.dataset.theme = theme;
    for (const change of document.getAnimations()) change.finish();
}"""
OFFICE = {"width": 1366, "height": 768}
PORTRAIT = {"width": 820, "height": 1180}

pytestmark = pytest.mark.usefixtures("db")

PAGES = {
    "login": ("", "/login/"),
    "home of an inspector": ("ines", "/"),
    "home of a manager": ("max", "/"),
    "console": ("ines", "/lines/phones/console/"),
    "recent": ("ines", "/recent/"),
    "control room": ("max", "/lines/phones/"),
    "items": ("max", "/lines/phones/items/"),
    "item": ("max", "/items/{item}/"),
    "models": ("max", "/lines/phones/models/"),
    "model": ("max", "/lines/phones/models/inspection-test-3/"),
    "policies": ("max", "/lines/phones/policies/"),
    "what if": ("max", "/lines/phones/what-if/"),
    "requests": ("max", "/lines/phones/requests/"),
    "promises": ("max", "/lines/phones/promises/"),
    "guardrails": ("max", "/lines/phones/guardrails/"),
    "bias": ("max", "/lines/phones/bias/"),
    "report": ("max", "/lines/phones/report/"),
    "settings": ("max", "/lines/phones/settings/"),
    "tokens": ("max", "/tokens/"),
    "webhooks": ("max", "/webhooks/"),
    "webhook": ("max", "/webhooks/1/"),
    "new line": ("max", "/lines/new/"),
    "api docs": ("max", "/api/docs/"),
    "not found": ("max", "/lines/nowhere/"),
}


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One stage for all pages of this file: nothing here changes anything."""
    path = tmp_path_factory.mktemp("pages") / "pages.sqlite3"
    with django_db_blocker.unblock():
        with on_a_file(path), serving() as url:
            yield url
        # In memory there was nothing; a server has what this file wrote.
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def db(site: str) -> None:
    """The database of this file: not one that is emptied after each test."""


@pytest.fixture(scope="module")
def item(db: None) -> str:
    """An item of a line with a history, and its people."""
    now = timezone.now()
    drafts = [ClassDraft(key, key.capitalize(), f"What {key} means") for key in CLASSES]
    line = create_line("phones", "Phones", "Is there a defect?", drafts, Draft(Mode.HUMAN_ONLY), now=now)
    people = {name: User.objects.create_user(name) for name in ("ines", "max")}
    for name, group in (("ines", INSPECTORS), ("max", MANAGERS)):
        people[name].groups.add(Group.objects.get_or_create(name=group)[0])
    create_token("camera", scopes=["items:write"], line=line, by=people["max"], now=now, expires_at=now + timedelta(days=9))
    story = furnish(line, people["ines"], people["max"], now)
    KnownTruth.objects.create(item=story, truth="scratch", visibility=0.5)
    return str(story.pk)


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the pages of this file complain about."""
    return []


@pytest.fixture(scope="module")
def seats(
    browser: Browser, browser_context_args: dict[str, Any], site: str, item: str, complaints: list[str]
) -> Iterator[dict[str, Page]]:
    """A page for each person, and one for nobody. They stay open, so that what all pages share is fetched once."""
    contexts = {who: browser.new_context(**browser_context_args) for who in ("", "ines", "max")}
    for context in contexts.values():
        context.set_default_timeout(PATIENCE_MS)
    for who in ("ines", "max"):
        log_in(contexts[who], site, User.objects.get(username=who))
    yield {who: watched(context.new_page(), complaints) for who, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page(name: str, site: str, item: str, seats: dict[str, Page], complaints: list[str]) -> None:
    who, path = PAGES[name]
    page = seats[who]
    complaints.clear()
    page.set_viewport_size(OFFICE)
    page.goto(site + path.format(item=item))
    _settled(page, name)
    page.evaluate(_axe())
    _check(page, name, EVERYTHING)
    page.evaluate(DRESS, "light")
    _check(page, name, COLOURS)
    page.evaluate(DRESS, "dark")
    page.set_viewport_size(PORTRAIT)
    _check(page, name, EVERYTHING)
    if name == "not found":
        expected(complaints, "404")
    assert complaints == []


def test_axe_would_complain(seats: dict[str, Page], site: str) -> None:
    """The proof that the check above can fail."""
    page = seats[""]
    page.goto(f"{site}/login/")
    page.evaluate(_axe())
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/favicon.svg\">')")
    with pytest.raises(AssertionError, match="image-alt"):
        _check(page, "login", EVERYTHING)
    page.evaluate("document.querySelector('main').style.minWidth = '3000px'")
    with pytest.raises(AssertionError, match="scrolls sideways"):
        _check(page, "api docs", EVERYTHING)


@cache
def _axe() -> str:
    return Axe().axe_script


def _settled(page: Page, name: str) -> None:
    if name == "console":
        expect(page.locator("#viewer[data-armed='1']")).to_be_attached()
    elif name == "api docs":
        expect(page.locator(".opblock").first).to_be_visible()
    else:
        expect(page.locator("h1")).to_be_visible()


def _check(page: Page, name: str, options: dict[str, Any]) -> None:
    width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room, f"{name} scrolls sideways: {width} in {room}"
    if name == "api docs":
        return  # Swagger's own page
    found = page.evaluate("(options) => axe.run(options)", options)["violations"]
    assert not found, [
        f"{one['id']}: {node['html'][:200]} {node.get('failureSummary')}" for one in found for node in one["nodes"]
    ]
