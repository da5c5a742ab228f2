"""The console by keyboard: what its keys do, and that nothing stands between a key and the next photo."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from gateway.models import Item
from monitoring.demo.phones import Shift, draw
from policies.models import LabelClass, Line
from review.models import Claim, ClaimEnd, Judgement
from tests.browser.camera import SIZE, Camera
from tests.browser.console import Console

Sit = Callable[..., Console]

WIDTH, HEIGHT = SIZE

COUNT_DECODED = """
    window.decoded = 0;
    const decode = createImageBitmap;
    window.createImageBitmap = (...args) => decode(...args).finally(() => { window.decoded += 1; });
"""

# Presses a key and looks at once, before the page has done anything else.
STROKE = """() => {
    const stroke = new KeyboardEvent("keydown", {key: "1", code: "Digit1", bubbles: true, cancelable: true});
    document.body.dispatchEvent(stroke);
    const {item, ready} = document.getElementById("viewer").dataset;
    return {item, ready};
}"""

TWO_STROKES = """() => {
    const stroke = () => new KeyboardEvent("keydown", {key: "1", code: "Digit1", bubbles: true, cancelable: true});
    for (const event of [stroke(), stroke()]) document.body.dispatchEvent(event);
}"""


@pytest.fixture
def photos(camera: Camera, line: Line) -> list[str]:
    """Three items that wait for people, the oldest first."""
    return [camera(seed)["id"] for seed in range(3)]


def test_the_next_photo_is_ready_before_its_key_and_shown_in_the_same_breath(
    line: Line, ines: User, camera: Camera, console_of: Sit
) -> None:
    """Nothing is fetched, decoded or waited for between a key and the next photo: a machine of any speed shows it at once."""
    posted = [camera(data=draw(seed, 0.5, Shift()).jpeg)["id"] for seed in range(6)]
    asked: list[str] = []

    def listen(page: Page) -> None:
        page.add_init_script(COUNT_DECODED)
        page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/photo") else None)

    console = console_of(ines, prepare=listen)
    for place, item in enumerate(posted[1:], start=2):
        console.armed()
        console.page.wait_for_function("(number) => window.decoded >= number", arg=place)
        assert console.page.evaluate(STROKE) == {"item": item, "ready": "1"}
        console.frame()
        expect(console.viewer).to_have_attribute("data-shown-ms", re.compile(r"^\d+$"))
        console.viewer.evaluate("(viewer) => viewer.removeAttribute('data-shown-ms')")
    assert len(asked) == len(set(asked)) == 6


def test_a_key_passes_one_item_however_it_is_pressed(ines: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    console.armed()
    keyboard = console.page.keyboard
    keyboard.down("1")
    assert console.armed() == photos[1]
    for _ in range(20):
        keyboard.down("1")  # again without coming up: the browser's own repeat
    assert console.armed() == photos[1]
    keyboard.up("1")
    console.page.evaluate(TWO_STROKES)  # the second comes before anybody can have looked at the photo
    assert console.armed() == photos[2]
    console.saved()
    assert Judgement.objects.count() == 2


def test_unsure_asks_a_second_person(ines: User, noor: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    assert console.judge("0") == photos[0]
    console.saved()
    assert Judgement.objects.get().answer == ""
    assert Item.objects.get(pk=photos[0]).state == "referred"
    for _ in photos[1:]:
        console.judge("1")
    console.state("empty")

    other = console_of(noor)
    assert other.judge("2") == photos[0]
    other.saved()
    assert Item.objects.get(pk=photos[0]).answer == "scratch"


def test_what_was_skipped_comes_back_to_others_only(ines: User, noor: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    assert console.press("s") == photos[0]
    assert [console.judge("1") for _ in photos[1:]] == photos[1:]
    # The answer to the question for more says that there is nothing for her, and her own page says so.
    with console.page.expect_response("**/console/next") as asked:
        console.page.evaluate("dispatchEvent(new Event('online'))")
    assert asked.value.json()["cards"] == []
    console.state("empty")
    assert Claim.objects.get(referral__item=photos[0]).end == ClaimEnd.SKIPPED
    assert console_of(noor).armed() == photos[0]


def test_the_last_answers_can_be_changed_and_the_present_item_waits(ines: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    console.judge("1")
    console.judge("1")
    present = console.armed()
    console.page.keyboard.press("z")
    console.page.keyboard.press("z")
    expect(console.viewer).to_have_attribute("data-past", "1")
    expect(console.verdict("ok")).to_have_attribute("aria-current", "true")
    assert console.press("3") == photos[0]
    assert console.armed() == present == photos[2]
    console.saved()
    assert [Item.objects.get(pk=one).answer for one in photos[:3]] == ["dent", "ok", ""]
    expect(console.strip.nth(1)).to_have_attribute("data-answer", "dent")

    console.page.reload()  # the last ten outlive the page
    console.armed()
    console.page.keyboard.press("z")
    expect(console.viewer).to_have_attribute("data-past", "1")
    console.armed()
    console.page.keyboard.press("Escape")
    expect(console.viewer).to_have_attribute("data-past", "0")
    assert console.armed() == photos[2]
    assert Judgement.objects.count() == 3


def test_a_box_by_mouse(ines: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    console.armed()
    page, screen = console.page, console.viewer.bounding_box()
    assert screen is not None
    scale = min(screen["width"] / WIDTH, screen["height"] / HEIGHT)
    left = screen["x"] + (screen["width"] - WIDTH * scale) / 2
    top = screen["y"] + (screen["height"] - HEIGHT * scale) / 2
    page.keyboard.press("b")
    page.mouse.move(left + 0.25 * WIDTH * scale, top + 0.4 * HEIGHT * scale)
    page.mouse.down()
    page.mouse.move(left + 0.5 * WIDTH * scale, top + 0.6 * HEIGHT * scale, steps=3)
    page.mouse.move(left + 0.75 * WIDTH * scale, top + 0.7 * HEIGHT * scale)
    page.mouse.up()
    expect(console.viewer).to_have_attribute("data-boxes", "1")
    console.judge("2")
    console.saved()
    (region,) = Judgement.objects.get().regions
    assert region == {"label": "scratch"} | {
        side: pytest.approx(value, abs=0.01) for side, value in {"x": 0.25, "y": 0.4, "width": 0.5, "height": 0.3}.items()
    }


def test_a_box_by_keyboard(ines: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    console.armed()
    page = console.page
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(console.viewer).to_have_attribute("data-boxes", "1")
    field = {side: page.locator(f"#box-panel [name={side}]") for side in ("x", "y", "width", "height")}
    middle = {side: int(one.input_value()) for side, one in field.items()}
    assert middle["x"] + middle["width"] / 2 == pytest.approx(WIDTH / 2, abs=1)
    for key in ["ArrowRight"] * 3 + ["ArrowUp"] * 3 + ["Shift+ArrowDown"] * 3:
        page.keyboard.press(key)
    moved = {side: int(one.input_value()) for side, one in field.items()}
    assert moved["x"] > middle["x"] and moved["y"] < middle["y"]
    assert moved["height"] > middle["height"] and moved["width"] == middle["width"]
    for side, pixels in {"x": 32, "y": 24, "width": 160, "height": 48}.items():
        field[side].fill(str(pixels))
    page.keyboard.press("Enter")  # leaves the field
    page.keyboard.press("Enter")  # ends the drawing
    expect(console.viewer).not_to_have_attribute("data-box-mode", "1")
    console.judge("3")
    console.saved()
    assert Judgement.objects.get().regions == [{"label": "dent", "x": 0.1, "y": 0.1, "width": 0.5, "height": 0.2}]


def test_the_label_book_is_beside_the_photo(line: Line, ines: User, photos: list[str], console_of: Sit) -> None:
    LabelClass.objects.filter(line=line, key="dent").update(examples="A pressed-in corner", counter_examples="Dust")
    console = console_of(ines)
    console.armed()
    book = console.page.locator("#book")
    console.verdict("scratch").hover()
    expect(book).to_have_attribute("data-open", "scratch")
    expect(book.locator("[data-book=scratch]")).to_contain_text("What scratch means")
    expect(book.locator("[data-book=dent]")).to_be_hidden()
    console.page.keyboard.press("Shift+Digit3")
    expect(book.locator("[data-book=dent]")).to_contain_text("A pressed-in corner")
    expect(book.locator("[data-book=dent]")).to_contain_text("Dust")
    assert console.armed() == photos[0], "looking something up is no verdict"


def test_keys_can_be_changed_and_switched_off(ines: User, photos: list[str], console_of: Sit) -> None:
    console = console_of(ines)
    console.armed()
    _change_keys(console.page)
    for _ in range(2):  # before and after a reload
        console.armed()
        console.page.keyboard.press("1")
        console.page.keyboard.press("2")
        expect(console.verdict("ok").locator("kbd")).to_be_hidden()
        expect(console.verdict("scratch").locator("kbd")).to_have_text("X")
        assert console.armed() == photos[0]
        console.page.reload()
    assert console.judge("x") == photos[0]
    console.saved()
    assert Judgement.objects.get().answer == "scratch"

    console.armed()
    console.page.keyboard.press("?")
    console.page.get_by_label("Single keys on").uncheck()
    console.page.keyboard.press("Escape")
    console.page.reload()
    console.armed()
    console.page.keyboard.press("x")
    assert console.armed() == photos[1]
    console.verdict("dent").click()
    expect(console.viewer).to_have_attribute("data-item", photos[2])
    console.saved()
    assert Judgement.objects.filter(answer="dent").count() == 1


def _change_keys(page: Page) -> None:
    """X for a scratch, and no key at all for what is fine."""
    page.keyboard.press("?")
    page.locator("[data-key-row='verdict:scratch'] [data-key-change]").click()
    page.keyboard.press("x")
    page.locator("[data-key-row='verdict:ok'] [data-key-off]").click()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
