"""What moves on the pages by itself, within two seconds. The page's clock is wound forward, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from gateway import live
from monitoring.alarms import raise_alarms
from monitoring.findings import Finding
from monitoring.models import Action, Watch
from policies.changes import active_policy
from policies.models import Line
from review import claims, judging
from review.answers import Answer
from review.models import TrainingRun
from tests.browser.camera import Camera
from tests.browser.console import Console
from tests.browser.errors import expected
from tests.conftest import version

PageOf = Callable[..., Page]
# A page asks so often whether anything moved.
LOOK_MS = 2_000
# What a tab does when another one comes before it.
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def _watch(page: Page, url: str) -> None:
    """Open a page whose time can be wound forward, and mark it: a reload would take the mark away."""
    page.clock.install()
    with page.expect_response("**/live/**"):
        page.goto(url)
    page.evaluate("document.documentElement.dataset.kept = '1'")


def _alarm(line: Line, now: datetime) -> None:
    """Let a guardrail notice something."""
    finding = Finding(Watch.UNAVAILABLE, now, "half of the items went by the model", {})
    raise_alarms(line, active_policy(line), [(finding, Action.NOTIFY)], champion=None, now=now)


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
    page.clock.fast_forward(LOOK_MS)
    expect(_stat(page, "In the queue")).to_have_text("2")
    expect(page.locator(".flow-bar title").first).to_contain_text("2 items")
    home.clock.fast_forward(LOOK_MS)
    expect(home.locator("table.lines tbody tr").first.locator("td").nth(3)).to_have_text("2")
    for one in (page, home):
        expect(one.locator("html[data-kept]")).to_be_attached()


def test_a_judgement_empties_the_queue(
    line: Line, max_: User, ines: User, page_of: PageOf, site: str, camera: Camera, now: datetime
) -> None:
    camera(1)
    page = page_of(max_)
    _watch(page, f"{site}/lines/phones/")
    expect(_stat(page, "In the queue")).to_have_text("1")
    (claim,) = claims.take(line, ines, want=1, now=now)
    page.clock.fast_forward(LOOK_MS)
    expect(_stat(page, "Being looked at")).to_have_text("1")
    judging.judge(ines, claim.pk, Answer("dent"), idempotency_key="a", now=now)
    page.clock.fast_forward(LOOK_MS)
    expect(_stat(page, "In the queue")).to_have_text("0")
    expect(page.locator("html[data-kept]")).to_be_attached()


def test_an_alarm_shows_its_banner_on_every_page_of_the_line(
    line: Line, max_: User, page_of: PageOf, site: str, now: datetime
) -> None:
    pages = [page_of(max_) for _ in range(3)]
    for page, path in zip(pages, ("/", "/lines/phones/", "/lines/phones/items/"), strict=True):
        _watch(page, f"{site}{path}")
        expect(page.locator(".banner")).to_have_count(0)
    _alarm(line, now)
    for page in pages:
        page.clock.fast_forward(LOOK_MS)
        expect(page.locator(".banner")).to_contain_text("The guardrail")
        expect(page.locator("html[data-kept]")).to_be_attached()


def test_an_item_reaches_a_console_that_waits(
    line: Line, ines: User, console_of: Callable[..., Console], camera: Camera
) -> None:
    console = console_of(ines)
    console.state("empty")
    camera(1)
    console.page.clock.fast_forward(LOOK_MS)
    console.state("item")
    expect(console.page.locator("[data-queue=open]")).to_have_text("1")


def test_while_nothing_moves_nothing_is_drawn_and_nothing_but_the_question_is_asked(
    line: Line, max_: User, page_of: PageOf, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else the half minute after which a stamp is another one might end in this test.
    monkeypatch.setattr(live, "STALE_SECONDS", 10**9)
    page = page_of(max_)
    _watch(page, f"{site}/lines/phones/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response("**/live/**") as answer:
        page.clock.fast_forward(LOOK_MS)
    assert answer.value.status == 304
    assert len(asked) == 1


def test_nobody_asks_for_a_page_that_nobody_sees(line: Line, max_: User, page_of: PageOf, site: str, camera: Camera) -> None:
    page = page_of(max_)
    _watch(page, f"{site}/lines/phones/")
    page.evaluate(HIDE, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    camera(1)
    for _ in range(5):
        page.clock.fast_forward(60_000)
    assert asked == []
    # It looks at once when it comes back to the front.
    page.evaluate(HIDE, False)
    expect(_stat(page, "In the queue")).to_have_text("1")


def test_a_ticket_that_ran_out_is_made_anew(
    line: Line, max_: User, page_of: PageOf, site: str, camera: Camera, monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    page = page_of(max_)
    _watch(page, f"{site}/lines/phones/")
    monkeypatch.setattr(live, "TICKET_AGE", timedelta(seconds=-1))
    with page.expect_response("**/lines/phones/"):
        page.clock.fast_forward(LOOK_MS)
    monkeypatch.setattr(live, "TICKET_AGE", timedelta(hours=1))
    camera(1)
    page.clock.fast_forward(LOOK_MS)
    expect(_stat(page, "In the queue")).to_have_text("1")
    expect(page.locator("html[data-kept]")).to_be_attached()
    expected(errors, "403")


def test_without_scripts_the_pages_tell_the_same(
    line: Line, max_: User, page_of: PageOf, site: str, camera: Camera, now: datetime
) -> None:
    page = page_of(max_, java_script_enabled=False)
    page.goto(f"{site}/lines/phones/")
    expect(_stat(page, "In the queue")).to_have_text("0")
    camera(1)
    _alarm(line, now)
    page.reload()
    expect(_stat(page, "In the queue")).to_have_text("1")
    expect(page.locator(".banner")).to_contain_text("The guardrail")
    page.goto(site)
    expect(page.locator("table.lines tbody tr").first.locator("td").nth(3)).to_have_text("1")


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
