"""Items that several people reach for: each is one person's at a time, and what is left behind comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import APIResponse, Page, Route, expect

from gateway.models import Item
from policies.models import Line
from review import claims
from review.models import Claim, Judgement
from tests.browser.camera import Camera
from tests.browser.console import Console
from tests.browser.errors import expected

Sit = Callable[..., Console]

# Seconds; longer than any request takes, reached only where one never comes.
PATIENCE = 60
# Beyond the next heartbeat of a page, in milliseconds of its clock.
BEAT_MS = 25_000


def _note_photos(asked: set[str]) -> Callable[[Page], None]:
    return lambda page: page.on("request", lambda one: asked.add(one.url) if one.url.endswith("/photo") else None)


def test_two_inspectors_never_get_the_same_item(ines: User, noor: User, line: Line, camera: Camera, console_of: Sit) -> None:
    posted = {camera(seed)["id"] for seed in range(8)}
    fetched: list[set[str]] = [set(), set()]
    people = [console_of(who, prepare=_note_photos(asked)) for who, asked in zip((ines, noor), fetched, strict=True)]
    judged: list[set[str]] = [set(), set()]
    for _ in range(4):
        for console, mine in zip(people, judged, strict=True):
            mine.add(console.judge("1"))
    for console in people:
        console.saved()
        console.state("empty")
    assert judged[0] | judged[1] == posted and not judged[0] & judged[1]
    assert not fetched[0] & fetched[1], "nor is a photo fetched ahead by both"
    assert Judgement.objects.count() == Item.objects.filter(state="decided").count() == 8


def test_an_answer_after_a_takeover_is_refused_and_shown_as_such(
    ines: User, noor: User, line: Line, camera: Camera, console_of: Sit, now: datetime, errors: list[str]
) -> None:
    item = camera()["id"]
    console = console_of(ines)
    console.armed()
    assert claims.take(line, noor, want=1, now=now + timedelta(hours=2))
    console.judge("1")
    expect(console.strip.first).to_have_attribute("data-state", "refused")
    expect(console.strip.first).to_have_attribute("aria-disabled", "true")
    expect(console.page.locator("#toasts .toast[data-tone=bad]")).to_contain_text("noor has it now")
    console.saved()
    assert not Judgement.objects.exists()
    assert Item.objects.get(pk=item).state == "referred"
    expected(errors, "409")


def test_who_was_away_learns_that_somebody_else_has_the_item(
    ines: User, noor: User, line: Line, camera: Camera, console_of: Sit, now: datetime
) -> None:
    camera()
    console = console_of(ines)
    console.armed()
    assert claims.take(line, noor, want=1, now=now + timedelta(hours=2))
    console.page.clock.fast_forward(BEAT_MS)
    console.state("lost")
    console.page.keyboard.press("1")
    expect(console.page.locator("#toasts .toast")).to_contain_text("Not taken")
    console.page.keyboard.press("Enter")
    console.state("empty")
    assert not Judgement.objects.exists()


def _in_order(patch: pytest.MonkeyPatch, *names: str) -> threading.Event:
    """Let each of these verbs of `claims` wait for the one before it, whichever request comes sooner; tell of the last."""
    before = threading.Event()
    before.set()
    for name in names:
        done = threading.Event()
        patch.setattr(claims, name, _between(before, getattr(claims, name), done))
        before = done
    return before


def _between(before: threading.Event, verb: Callable[..., Any], done: threading.Event) -> Callable[..., Any]:
    def wait_and_do(*args: Any, **more: Any) -> Any:
        assert before.wait(PATIENCE)
        try:
            return verb(*args, **more)
        finally:
            done.set()

    return wait_and_do


@pytest.mark.parametrize("order", [("leave_page", "adopt"), ("adopt", "leave_page")], ids=["release first", "release late"])
def test_a_reload_keeps_what_was_claimed(
    order: tuple[str, str],
    ines: User,
    noor: User,
    line: Line,
    camera: Camera,
    console_of: Sit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posted = [camera(seed)["id"] for seed in range(5)]
    console = console_of(ines)
    assert console.armed() == posted[0]
    both = _in_order(monkeypatch, *order)
    console.page.reload()
    assert both.wait(PATIENCE)
    assert console.armed() == posted[0]
    held = Claim.objects.filter(ended_at=None).order_by("pk")
    assert [str(claim.referral.item_id) for claim in held.select_related("referral")] == posted[:4]
    assert console_of(noor).armed() == posted[4]
    assert [console.judge("1") for _ in range(4)] == posted[:4]
    console.saved()
    assert Judgement.objects.count() == 4


class Crossing:
    """The question for more and an answer cross: the server sees the question first, the page hears of the answer first."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._cards: list[tuple[Route, APIResponse]] = []
        self._answers: list[Route] = []
        page.route("**/console/next", self._ask)
        page.route("**/judge", self._answer)

    def _ask(self, route: Route) -> None:
        if not route.request.post_data_json["resume"]:
            route.continue_()  # asked for another reason, such as that something moved on the line
            return
        self._cards.append((route, route.fetch()))
        for answer in self._answers:
            answer.continue_()

    def _answer(self, route: Route) -> None:
        if self._cards:
            route.continue_()
        else:
            self._answers.append(route)

    def arrive(self) -> None:
        """Let the cards come."""
        ((route, response),) = self._cards
        assert response.json()["cards"]
        self._page.unroute("**/console/next")
        route.fulfill(response=response)


def test_two_tabs_of_one_person_work_side_by_side(ines: User, line: Line, camera: Camera, console_of: Sit) -> None:
    posted = [camera(seed)["id"] for seed in range(claims.MOST_HELD)]
    first = console_of(ines)
    assert first.armed() == posted[0]
    second = console_of(ines)
    assert second.armed() == posted[0]
    with first.hears("/console/heartbeat"), first.page.expect_response("**/console/heartbeat") as beat:
        first.page.clock.fast_forward(BEAT_MS)
    assert len(beat.value.json()["elsewhere"]) == 4
    crossing = Crossing(first.page)
    assert first.judge("1") == posted[0], "what is on the screen may be answered, and counts"
    first.saved()
    crossing.arrive()
    assert first.armed() == posted[1], "the first tab goes on with what its person holds"
    second.page.clock.fast_forward(BEAT_MS)
    second.state("lost")
    second.page.keyboard.press("Enter")
    assert second.judge("2") == posted[1]
    second.saved()
    assert {str(one.item_id): one.answer for one in Judgement.objects.all()} == {posted[0]: "ok", posted[1]: "scratch"}
    assert Claim.objects.filter(ended_at=None).count() <= claims.MOST_HELD


def test_an_empty_queue_goes_on_by_itself(ines: User, line: Line, camera: Camera, console_of: Sit) -> None:
    console = console_of(ines)
    console.state("empty")
    expect(console.page.locator("[data-stage=empty]")).to_be_visible()
    item = camera()["id"]
    console.page.clock.fast_forward(5_000)
    console.state("item")
    assert console.judge("1") == item
    console.state("empty")
    console.saved()


def test_a_closed_page_gives_its_items_back(
    ines: User, noor: User, line: Line, camera: Camera, console_of: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, back = camera()["id"], _in_order(monkeypatch, "leave_page")
    console = console_of(ines)
    console.armed()
    console.page.close(run_before_unload=True)
    assert back.wait(PATIENCE)
    assert console_of(noor).armed() == item


def test_a_page_closed_while_it_asks_takes_nothing(
    ines: User, noor: User, line: Line, camera: Camera, console_of: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = console_of(ines)
    console.state("empty")
    left = _in_order(monkeypatch, "leave_page", "take")
    item = camera()["id"]
    console.page.clock.fast_forward(5_000)
    console.page.close(run_before_unload=True)
    assert left.wait(PATIENCE)
    assert not Claim.objects.filter(ended_at=None).exists()
    assert console_of(noor).armed() == item
