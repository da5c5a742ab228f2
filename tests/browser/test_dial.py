"""The dial in a browser: by mouse, by keyboard alone, without scripts, and when somebody else turns it meanwhile."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from monitoring.models import Conveyor
from policies.changes import active_policy, stop_automation
from policies.models import Line
from policies.modes import Mode
from tests.browser.errors import expected
from tests.browser.town import furnish

PageOf = Callable[..., Page]


@pytest.fixture
def busy(line: Line, ines: User, max_: User, now: datetime) -> Line:
    """The line in partial, with a champion whose scores fill the histograms."""
    furnish(line, ines, max_, now)
    return line


def test_the_sliders_say_what_the_server_says(
    busy: Line, max_: User, page_of: PageOf, site: str, login: Callable[[User], Client], dial: Callable[..., Any]
) -> None:
    page, client, said = page_of(max_), login(max_), []
    page.goto(f"{site}/lines/phones/")
    for percent in ({"ok": "50"}, {"ok": "85.5", "scratch": "75"}, {"ok": "97", "dent": "100"}, {"dent": "0.5"}):
        for key in ("ok", "scratch", "dent"):
            if key in percent:
                page.locator(f"[data-class={key}] [data-slider]").fill(percent[key])
            else:
                page.locator(f"[data-class={key}] input[type=checkbox]").uncheck()
        shown = page.locator("[data-what-if]").inner_text()
        dial(Mode.PARTIAL, thresholds={key: float(value) / 100 for key, value in percent.items()})
        assert _words(shown) == _words(_what_if(client.get("/lines/phones/").text))
        said.append(shown)
        expect(page.locator("[data-summary]")).to_contain_text("Apply will change")
    assert len(set(said)) == 4 and "checked blind" in said[0]


def _what_if(page: str) -> str:
    (found,) = re.findall(r"<p[^>]*data-what-if>(.*?)</p>", page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found))


def _words(text: str) -> str:
    return " ".join(text.split())


def test_by_keyboard_alone(busy: Line, max_: User, page_of: PageOf, site: str) -> None:
    page = page_of(max_)
    page.goto(f"{site}/lines/phones/")
    _tab_to(page, "input[name=mode]")
    page.keyboard.press("ArrowRight")  # from partial to full
    expect(page.locator("input[name=mode][value=full]")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    _tab_to(page, "[data-class=ok] [data-slider]")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#threshold-ok")).to_have_value("91.5")
    _tab_to(page, "#reason")
    page.keyboard.type("Two slipped through")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("Policy version 5 is in force")
    policy = active_policy(busy)
    assert (policy.mode, policy.thresholds, policy.reason) == ("partial", {"ok": 0.915}, "Two slipped through")
    assert policy.created_by == max_


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; what cannot be reached in a page's worth of it is not reachable."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def test_a_stale_tab_is_refused_and_keeps_what_was_set(
    busy: Line, max_: User, ines: User, page_of: PageOf, site: str, now: datetime, errors: list[str]
) -> None:
    page = page_of(max_)
    page.goto(f"{site}/lines/phones/")
    stop_automation(busy, by=ines, reason="Smoke", now=now)
    page.locator("label.notch[data-mode=full]").click()
    page.locator("[data-class=ok] [data-slider]").fill("77.5")
    page.fill("#reason", "Holiday")
    page.get_by_role("button", name="Apply").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was changed")
    expect(alert).to_contain_text("ines put version 5 into force")
    assert active_policy(busy).mode == "human_only"
    expect(page.locator("input[name=mode][value=full]")).to_be_checked()
    expect(page.locator("#threshold-ok")).to_have_value("77.5")
    expect(page.locator("#reason")).to_have_value("Holiday")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".messages")).to_contain_text("Policy version 6 is in force")
    assert (active_policy(busy).mode, active_policy(busy).thresholds) == ("full", {"ok": 0.775})
    expected(errors, "409")


def test_the_red_switch_and_the_conveyors(busy: Line, max_: User, page_of: PageOf, site: str) -> None:
    page = page_of(max_)
    page.goto(f"{site}/lines/phones/")
    page.fill("#rate", "2.5")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("The conveyor starts")
    assert (Conveyor.objects.get().running, Conveyor.objects.get().rate) == (True, 2.5)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("The conveyor stops")
    assert not Conveyor.objects.get().running

    page.get_by_role("button", name="Stop the model").click()
    expect(page.locator(".red-switch")).to_contain_text("People decide everything")
    expect(page.locator("input[name=mode][value=human_only]")).to_be_checked()
    policy = active_policy(busy)
    assert (policy.mode, policy.thresholds, policy.created_by) == ("human_only", {"ok": 0.9}, max_)


def test_without_scripts(busy: Line, max_: User, page_of: PageOf, site: str) -> None:
    page = page_of(java_script_enabled=False)
    page.goto(f"{site}/lines/phones/")
    page.fill("#id_username", "max")
    page.fill("#id_password", "max-password")
    page.get_by_role("button", name="Log in").click()
    page.locator("label.notch[data-mode=assist]").click()
    page.locator("[data-class=scratch] input[type=checkbox]").check()
    page.fill("#threshold-scratch", "87.5")
    page.fill("#reason", "By hand")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".messages")).to_contain_text("Policy version 5 is in force")
    policy = active_policy(busy)
    assert (policy.mode, policy.thresholds, policy.reason) == ("assist", {"ok": 0.9, "scratch": 0.875}, "By hand")
