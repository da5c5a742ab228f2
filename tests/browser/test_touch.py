"""The console on a tablet in portrait, by fingers alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from policies.models import Line
from review.models import Judgement
from tests.browser.camera import Camera
from tests.browser.console import Console

pytestmark = pytest.mark.browser_context_args(viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True)

# What a finger has to hit: its name, its size, whether it is on the screen, and whether nothing lies over its middle.
TARGETS = """() => [...document.querySelectorAll(".console :is(a, button, input)")].filter((one) => one.checkVisibility())
    .map((one) => {
        const {x, y, width, height} = one.getBoundingClientRect();
        const hit = document.elementFromPoint(x + width / 2, y + height / 2);
        return {
            name: one.dataset.action || one.id || one.className, verdict: one.matches(".verdict"), width, height,
            inside: x >= 0 && y >= 0 && x + width <= innerWidth && y + height <= innerHeight,
            free: one.contains(hit),
        };
    })"""

# All that the keys do has to be there for a finger as well.
ACTIONS = {
    *("verdict:ok", "verdict:scratch", "verdict:dent", "unsure", "undo", "skip", "box", "overlay"),
    *("peek", "zoom-in", "zoom-out", "fit", "light", "side", "help"),
}


@pytest.fixture
def tablet(line: Line, ines: User, camera: Camera, console_of: Callable[..., Console]) -> Console:
    """A console with two items, on a tablet."""
    for seed in range(2):
        camera(seed)
    return console_of(ines)


def test_a_verdict_takes_one_tap(tablet: Console) -> None:
    first = tablet.armed()
    tablet.verdict("scratch").tap()
    expect(tablet.viewer).not_to_have_attribute("data-item", first)
    tablet.armed()
    tablet.page.locator(".tools [data-action=undo]").tap()
    expect(tablet.viewer).to_have_attribute("data-item", first)
    tablet.armed()
    tablet.verdict("dent").tap()
    expect(tablet.viewer).not_to_have_attribute("data-item", first)
    tablet.saved()
    assert [one.answer for one in Judgement.objects.order_by("pk")] == ["scratch", "dent"]


def test_every_control_is_on_the_screen_and_large_enough(tablet: Console) -> None:
    tablet.judge("1")  # so that there is something to go back to
    tablet.armed()
    expect(tablet.strip).to_have_count(1)
    targets = tablet.page.evaluate(TARGETS)
    assert {one["name"] for one in targets} >= ACTIONS
    small = [one for one in targets if min(one["width"], one["height"]) < (56 if one["verdict"] else 44)]
    assert not small
    assert not [one for one in targets if not (one["inside"] and one["free"])]


# With a keyboard beside it, whose key caps take room.
@pytest.mark.browser_context_args(viewport={"width": 820, "height": 1180})
@pytest.mark.parametrize("width", [820, 768])
def test_no_answer_of_the_demo_is_broken(width: int, line: Line, tablet: Console) -> None:
    for position, key in enumerate(("crack", "stain"), start=3):
        line.classes.create(key=key, name=key.capitalize(), position=position, hotkey=str(position + 1))
    tablet.page.set_viewport_size({"width": width, "height": 1024})
    tablet.page.reload()
    names = tablet.page.locator(".verdict-name")
    expect(names).to_have_text(["OK", "Scratch", "Dent", "Crack", "Stain", "Unsure"], ignore_case=True)
    heights = names.evaluate_all("all => all.map((one) => one.offsetHeight / parseFloat(getComputedStyle(one).fontSize))")
    assert max(heights) < 2, "a name of one word takes one line"


def test_two_fingers_zoom_and_one_moves(tablet: Console) -> None:
    tablet.armed()
    tablet.page.clock.resume()  # what fingers do is drawn frame by frame
    finger = _Fingers(tablet.page)
    finger("touchStart", (380, 400), (440, 400))
    finger("touchMove", (300, 400), (520, 400))
    finger("touchMove", (200, 400), (620, 400))
    finger("touchEnd")
    expect(tablet.viewer).to_have_attribute("data-zoomed", "")
    item = tablet.item
    finger("touchStart", (400, 400))
    finger("touchMove", (300, 350))
    finger("touchEnd")
    tablet.page.locator("[data-action=fit]").tap()
    expect(tablet.viewer).not_to_have_attribute("data-zoomed", "")
    assert tablet.armed() == item
    assert not Judgement.objects.exists()


class _Fingers:
    """Touches as the screen reports them."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def __call__(self, kind: str, *points: tuple[int, int]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
