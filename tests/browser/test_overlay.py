"""What the model found reaches the console when it may, and not a moment before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Response, expect

from inference import service
from inference.predictions import Heatmap, Region, Scores
from policies.modes import Mode
from review import console as review_console
from review.models import Claim, Judgement
from tests.browser.camera import Camera
from tests.browser.console import Console
from tests.conftest import Model

# Long enough that a slow machine cannot reach it; the page's clock is wound forward instead.
FIRST_LOOK_MS = 20_000
PROBABILITIES = {"ok": 0.0137, "scratch": 0.9741, "dent": 0.0122}
# All that could give the prediction away: its words, its figures, its parts.
TRACES = re.compile(r"very likely|0\.974|97[.,]4|\"heatmap\"|\"prediction\": *\{|\"words\"", re.IGNORECASE)


@pytest.fixture
def _findings(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The champion finds a scratch, says where, and has a map behind it."""
    found = Scores(PROBABILITIES, (Region("scratch", 0.2, 0.3, 0.4, 0.1, 0.97),), Heatmap(2, 2, bytes([0, 250, 10, 0])))
    monkeypatch.setattr(service, "predict", lambda version, batch, *, timeout: ([found] * len(batch), 1.0))
    monkeypatch.setattr(review_console, "FIRST_LOOK_MS", FIRST_LOOK_MS)


def _listen(heard: list[Response]) -> Callable[[Any], None]:
    return lambda page: page.on("response", lambda one: heard.append(one))


def _bodies(heard: list[Response]) -> str:
    """Everything that came over the wire besides photos and the product's own files."""
    # Photos are compared elsewhere; whether anything moved is asked and answered without a body.
    return "\n".join(one.text() for one in heard if not any(part in one.url for part in ("/static/", "/photo", "/live/")))


@pytest.mark.usefixtures("_findings")
def test_after_the_first_look_it_is_shown_in_words(
    ines: User, dial: Callable[..., Any], camera: Camera, console_of: Callable[..., Console]
) -> None:
    dial(Mode.ASSIST)
    camera()
    heard: list[Response] = []
    console = console_of(ines, prepare=_listen(heard))
    page, words = console.page, console.page.locator("#model-words [data-words]")
    console.armed()
    for key in ("h", " "):
        page.keyboard.press(key)
    expect(page.locator("#toasts .toast")).to_contain_text("Your own look first")
    console.overlay("waiting")
    expect(page.locator("#marks .found")).to_have_count(0)
    assert not TRACES.search(page.content() + _bodies(heard))
    assert not [one for one in heard if one.url.endswith("/reveal")]
    assert Claim.objects.get().revealed_at is None

    page.clock.fast_forward(FIRST_LOOK_MS)
    console.overlay("shown")
    expect(words).to_have_text("Very likely: scratch")
    expect(page.locator("#marks rect.found")).to_have_count(1)
    assert "%" not in page.locator("body").inner_text()
    assert "%" not in page.locator(".console").evaluate('(part) => part.innerHTML.replace(/style="[^"]*"/g, \'\')')
    assert Claim.objects.get().revealed_at is not None
    for press, state in ((page.keyboard.down, "hidden"), (page.keyboard.up, "shown")):
        press(" ")
        console.overlay(state)
    page.keyboard.press("h")
    console.overlay("hidden")
    expect(words).to_be_hidden()
    page.keyboard.down(" ")
    console.overlay("shown")
    page.keyboard.up(" ")
    console.judge("1")
    console.saved()
    assert Judgement.objects.get().saw_prediction


@pytest.mark.usefixtures("_findings")
def test_a_blind_referral_never_asks_for_it(
    ines: User, dial: Callable[..., Any], camera: Camera, console_of: Callable[..., Console]
) -> None:
    dial(Mode.ASSIST, audit_rate=1.0)
    camera()
    heard: list[Response] = []
    console = console_of(ines, prepare=_listen(heard))
    page = console.page
    console.armed()
    expect(page.locator("#caption [data-blind]")).to_be_visible()
    page.clock.fast_forward(FIRST_LOOK_MS)
    for key in ("h", " "):
        page.keyboard.press(key)
        expect(page.locator("#toasts .toast")).to_contain_text("Blind")
        console.overlay("never")
    assert not TRACES.search(page.content())
    console.judge("1")
    console.saved()
    assert heard and not [one for one in heard if one.url.endswith("/reveal")]
    assert not TRACES.search(_bodies(heard))
    judgement = Judgement.objects.get()
    assert (judgement.blind, judgement.saw_prediction) == (True, False)
