"""The console as its inspector uses it: what a test of it does again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

# A verdict counts only when a photo has been looked at for a quarter of a second.
LOOK_MS = 260
# Longer than a frame of the page.
FRAME_MS = 20
# Tells when the page itself has read an answer, which is later than when the browser has it.
LISTEN = """(end) => {
    const read = Response.prototype.json;
    window.heard = new Promise((done) => {
        Response.prototype.json = async function () {
            const body = await read.call(this);
            if (this.url.endsWith(end)) {
                Response.prototype.json = read;
                done();
            }
            return body;
        };
    });
}"""


class Console:
    """A page that shows the console. With a `clock`, nobody waits for what takes its time there."""

    def __init__(self, page: Page, *, clock: bool) -> None:
        self.page = page
        self.clock = clock
        self.viewer = page.locator("#viewer")
        self.strip = page.locator("#strip button")

    def started(self) -> None:
        """Wait until the page has heard from the queue: from then on it asks by its clock."""
        expect(self.page.locator("[data-queue=open]")).to_have_text(re.compile(r"^\d+$"))

    @property
    def item(self) -> str:
        """The item on the screen."""
        return self.viewer.get_attribute("data-item") or ""

    def armed(self) -> str:
        """Wait until a verdict counts, and return the item that it would be for."""
        if self.clock:
            expect(self.viewer).to_have_attribute("data-ready", "1")
            if self.viewer.get_attribute("data-armed") != "1":
                self.page.clock.fast_forward(LOOK_MS)
        expect(self.viewer).to_have_attribute("data-armed", "1")
        return self.item

    def frame(self) -> None:
        """Let the page draw what waits for its next frame."""
        self.page.clock.run_for(FRAME_MS)

    def press(self, key: str) -> str:
        """Press a key as soon as it counts, and return the item that was on the screen."""
        item = self.armed()
        self.page.keyboard.press(key)
        return item

    def judge(self, key: str) -> str:
        """Give a verdict by its key; return the item that it was for, which is no longer on the screen."""
        item = self.press(key)
        expect(self.viewer).not_to_have_attribute("data-item", item)
        return item

    @contextmanager
    def hears(self, end: str) -> Iterator[None]:
        """Wait, after what is done within, until the page has read an answer from an address that ends so."""
        self.page.evaluate(LISTEN, end)
        yield
        self.page.evaluate("() => window.heard")

    def state(self, name: str) -> None:
        """Wait for what stands on the stage: item, empty, lost, offline ..."""
        expect(self.viewer).to_have_attribute("data-state", name)

    def overlay(self, state: str) -> None:
        """Wait for where the overlay stands."""
        expect(self.viewer).to_have_attribute("data-overlay", state)

    def saved(self) -> None:
        """Wait until everything that was answered is on the server."""
        expect(self.page.locator("#saved[data-state=saved][data-waiting='0']")).to_be_attached()

    def verdict(self, key: str) -> Locator:
        """The button of a class."""
        return self.page.locator(f"#verdicts [data-label='{key}']")
