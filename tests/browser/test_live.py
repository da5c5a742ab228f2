"""What moves on the control room by itself. The page's clock is wound forward, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from policies.models import Line
from review.models import TrainingRun
from tests.browser.camera import Camera
from tests.conftest import version

PageOf = Callable[..., Page]


def _watch(page: Page, url: str) -> None:
    """Open a page whose time can be wound forward, and mark it: a reload would take the mark away."""
    page.clock.install()
    page.goto(url)
    page.evaluate("document.documentElement.dataset.kept = '1'")


def _stat(page: Page, label: str) -> Locator:
    return page.locator(".stat", has=page.locator(".stat-label", has_text=label)).locator(".stat-value")


def test_the_counts_follow_what_arrives(line: Line, max_: User, page_of: PageOf, site: str, camera: Camera, ines: User) -> None:
    page, home = page_of(max_), page_of(max_)
    _watch(page, f"{site}/lines/phones/")
    _watch(home, f"{site}/")
    expect(_stat(page, "In the queue")).to_have_text("0")
    expect(page.locator(".flow-parts")).to_have_count(0)
    for seed in range(2):
        camera(seed)
    page.clock.fast_forward(10_000)
    expect(_stat(page, "In the queue")).to_have_text("2")
    expect(page.locator(".flow-bar title").first).to_contain_text("2 items")
    home.clock.fast_forward(5_000)
    expect(home.locator("table.lines tbody tr").first.locator("td").nth(3)).to_have_text("2")
    for one in (page, home):
        expect(one.locator("html[data-kept]")).to_be_attached()


@pytest.mark.parametrize(("end", "words"), [("done", "made inspection-test-1"), ("failed", "Too few labels")])
def test_a_training_shows_how_far_it_is(
    line: Line, max_: User, page_of: PageOf, site: str, now: datetime, end: str, words: str
) -> None:
    run = TrainingRun.objects.create(line=line, reason="More labels", requested_by=max_, created_at=now, stage="Waiting")
    page = page_of(max_)
    _watch(page, f"{site}/lines/phones/models/")
    bar, label = page.locator("#training-progress"), page.locator("#training label")
    expect(label).to_have_text("Waiting for the worker")
    expect(page.get_by_role("button", name="Train a new model")).to_have_count(0)
    TrainingRun.objects.update(state="running", progress=0.25, stage="Learning: round 3 of at most 40", heartbeat_at=now)
    page.clock.fast_forward(2_000)
    expect(label).to_have_text("Learning: round 3 of at most 40")
    expect(bar).to_have_attribute("value", "0.25")
    made = version() if end == "done" else None
    TrainingRun.objects.filter(pk=run.pk).update(
        state=end, progress=1, model_version=made, ended_at=now, error="Too few labels"
    )
    page.clock.fast_forward(2_000)
    expect(page.locator("#training")).to_contain_text(words)
    expect(bar).to_have_count(0)
    expect(page.get_by_role("button", name="Train a new model")).to_be_visible()
    expect(page.locator("html[data-kept]")).to_be_attached()
