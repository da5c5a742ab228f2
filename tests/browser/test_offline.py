"""A server that cannot be reached: loud, no further answers, none lost and none counted twice."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import Route, expect

from policies.models import Line
from review.models import Judgement
from tests.browser.camera import Camera
from tests.browser.console import Console
from tests.browser.errors import expected

JUDGE = "**/console/claims/*/judge"


def test_answers_are_kept_and_sent_when_the_server_is_back(
    ines: User, line: Line, camera: Camera, console_of: Callable[..., Console], errors: list[str]
) -> None:
    posted = [camera(seed)["id"] for seed in range(3)]
    console = console_of(ines)
    page, lost = console.page, [True]

    def unreachable(route: Route) -> None:
        if lost:  # the first arrives, and only its answer does not: it must count once all the same
            lost.clear()
            route.fetch()
        route.abort()

    page.route(JUDGE, unreachable)
    console.judge("1")
    expect(page.locator("#saved")).to_have_attribute("data-state", "failing")
    console.judge("2")
    _stopped(console, posted[2])

    page.reload()  # whoever closes the browser now loses nothing either
    console.armed()
    expect(page.locator("#saved")).to_have_attribute("data-state", "failing")
    page.clock.fast_forward(1_000)
    _stopped(console, posted[2])

    page.unroute(JUDGE)
    page.locator("#trouble [data-action=retry]").click()
    console.saved()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(console.strip).to_have_count(2)
    for place, answer in enumerate(["scratch", "ok"]):
        expect(console.strip.nth(place)).to_have_attribute("data-state", "saved")
        expect(console.strip.nth(place)).to_have_attribute("data-answer", answer)
    assert console.judge("3") == posted[2]
    console.saved()
    found = {str(one.item_id): one.answer for one in Judgement.objects.all()}
    assert found == dict(zip(posted, ["ok", "scratch", "dent"], strict=True))
    assert Judgement.objects.count() == 3
    expected(errors, "ERR_FAILED")


def _stopped(console: Console, item: str) -> None:
    """It is loud, and neither key nor button takes a further answer."""
    page = console.page
    expect(page.locator("#saved")).to_have_attribute("data-state", "stopped")
    expect(page.locator("#saved")).to_have_attribute("data-waiting", "2")
    expect(page.locator("body[data-stopped] #trouble")).to_contain_text("2 answers are not saved")
    expect(console.verdict("dent")).to_have_attribute("aria-disabled", "true")
    assert console.armed() == item
    page.keyboard.press("3")
    expect(page.locator("#toasts .toast")).to_contain_text("Not taken")
    console.verdict("dent").click(force=True)
    page.keyboard.press("s")
    assert console.armed() == item
    expect(page.locator("#saved")).to_have_attribute("data-waiting", "2")


def test_an_empty_console_says_that_the_server_does_not_answer(
    ines: User, line: Line, camera: Camera, console_of: Callable[..., Console], errors: list[str]
) -> None:
    console = console_of(ines)
    console.state("empty")
    console.page.route("**/console/next", lambda route: route.abort())
    console.page.clock.fast_forward(5_000)
    console.state("offline")
    camera()
    console.page.unroute("**/console/next")
    console.page.clock.fast_forward(5_000)
    console.armed()
    expected(errors, "ERR_FAILED")
