"""The whole story in a browser: post, judge, undo, dial up, audit, retrain, promote, dial down, look back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from gateway.models import Prediction, Role
from policies.changes import active_policy
from policies.models import Line
from review.models import Judgement
from tests.browser.camera import Camera
from tests.browser.console import Console
from tests.browser.school import bring_in, first_champion, picture, worker


@dataclass
class Story:
    """Who takes part."""

    camera: Camera
    console: Console
    manager: Page
    line: str
    worker: Callable[[], None]

    def post(self, answer: str, seed: int) -> dict[str, Any]:
        """Post a photo that shows this."""
        return self.camera(data=picture(answer, seed))

    def visit(self, path: str = "") -> Page:
        """Let the manager open a page of the line."""
        self.manager.goto(f"{self.line}{path}")
        return self.manager

    def done(self, words: str) -> None:
        """Wait for the page to say what was done."""
        expect(self.manager.locator(".messages")).to_contain_text(words)


@pytest.fixture
def at_work() -> Iterator[Callable[[], None]]:
    """A worker that sleeps until this is called, and is done when it returns."""
    with worker() as wake:
        yield wake


def test_the_whole_story(
    line: Line,
    ines: User,
    max_: User,
    now: datetime,
    tmp_path: Path,
    site: str,
    camera: Camera,
    console_of: Callable[..., Console],
    page_of: Callable[..., Page],
    at_work: Callable[[], None],
) -> None:
    first = first_champion(line, max_, now).name
    story = Story(camera, console_of(ines), page_of(max_), f"{site}/lines/phones/", at_work)

    people_decide_everything(story)
    the_dial_goes_up(story, first)
    an_audit_overrules_the_model(story)
    bring_in(line, tmp_path / "labelled", each=14)
    second = a_new_model_is_trained(story, first)
    it_watches_and_then_decides(story, first, second)
    the_dial_goes_down(story)
    the_history_tells_it_and_one_step_leads_back(story, line)


def people_decide_everything(story: Story) -> None:
    """Three photos come in, and Ines decides them; she slips once, and takes it back."""
    posted = [story.post(answer, seed) for seed, answer in enumerate(("ok", "scratch", "ok"))]
    assert {(one["status"], one["reason"], one["prediction"]) for one in posted} == {("referred", "human_only", None)}
    console, items = story.console, [one["id"] for one in posted]
    console.page.clock.fast_forward(5_000)
    assert [console.judge("1"), console.judge("1")] == items[:2]
    console.page.keyboard.press("z")
    expect(console.viewer).to_have_attribute("data-item", items[1])
    console.press("2")
    assert console.judge("1") == items[2]
    console.saved()
    console.state("empty")
    found = [story.camera.item(item) for item in items]
    assert [(one["decision"], one["decided_by"]) for one in found] == [
        ("ok", "person"),
        ("scratch", "person"),
        ("ok", "person"),
    ]
    assert Judgement.objects.count() == 4


def the_dial_goes_up(story: Story, first: str) -> None:
    """Max lets the model decide alone where it is sure, and says why."""
    page = story.visit()
    page.locator("label.notch[data-mode=partial]").click()
    for key in ("ok", "scratch"):
        page.locator(f"[data-class={key}] [data-slider]").fill("50")
    page.fill("#reason", "It agrees with Ines")
    page.get_by_role("button", name="Apply").click()
    story.done("Policy version 2 is in force")
    answer = story.post("ok", 10)
    assert (answer["status"], answer["route"], answer["reason"]) == ("decided", "automate", "confident")
    assert (answer["decision"], answer["decided_by"]) == ("ok", "model")
    assert (answer["policy_version"], answer["model_version"]) == (2, first)


def an_audit_overrules_the_model(story: Story) -> None:
    """What is drawn into the sample stands as decided, until a person who was told nothing says otherwise."""
    page = story.visit()
    page.get_by_text("Random check, due time and fail-safe").click()
    page.fill("#audit", "100")
    page.fill("#reason", "Look at everything for an hour")
    page.get_by_role("button", name="Apply").click()
    story.done("Policy version 3 is in force")
    answer = story.post("scratch", 11)
    assert (answer["decision"], answer["decided_by"]) == ("scratch", "model")
    console = story.console
    console.page.clock.fast_forward(5_000)
    assert console.armed() == answer["id"]
    expect(console.page.locator("#caption [data-blind]")).to_be_visible()
    console.overlay("never")
    console.judge("3")
    console.saved()
    found = story.camera.item(answer["id"])
    assert (found["decision"], found["decided_by"], found["revision"]) == ("dent", "person", 2)
    judgement = Judgement.objects.get(item=answer["id"])
    assert (judgement.blind, judgement.saw_prediction) == (True, False)


def a_new_model_is_trained(story: Story, first: str) -> str:
    """Max presses the button; return the name of the candidate that comes of it."""
    page = story.visit("models/")
    page.get_by_role("button", name="Train a new model").click()
    story.done("The training is queued")
    expect(page.locator("#training label")).to_have_text("Waiting for the worker")
    story.worker()
    made = page.locator("#training a.mono")
    expect(made).to_be_visible()
    second = made.inner_text()
    made.click()
    expect(page.locator("main")).to_contain_text(first)  # candidate beside champion
    story.visit("models/")
    row = page.locator("section[aria-labelledby=candidates-title] tbody tr", has_text=second)
    expect(row).to_contain_text("dataset 1")
    expect(row).to_contain_text("n = ")
    assert second != first
    return second


def it_watches_and_then_decides(story: Story, first: str, second: str) -> None:
    """As a challenger the new model changes nothing; as champion it decides."""
    page = story.manager
    candidates = page.locator("section[aria-labelledby=candidates-title]")
    candidates.locator("tr", has_text=second).get_by_role("button", name="Make challenger").click()
    story.done(f"{second} is challenger")
    watched = story.post("ok", 12)
    assert (watched["decided_by"], watched["model_version"]) == ("model", first)
    seen = Prediction.objects.filter(item=watched["id"]).values_list("role", "model_version__name")
    assert set(seen) == {(Role.CHAMPION, first), (Role.CHALLENGER, second)}

    page.get_by_role("button", name="Promote to champion").click()
    story.done(f"{second} is champion")
    decided = story.post("ok", 13)
    assert (decided["decided_by"], decided["model_version"]) == ("model", second)
    assert story.camera.item(watched["id"])["model_version"] == first, "past decisions stay as they are"


def the_dial_goes_down(story: Story) -> None:
    """The red switch: the next item goes to a person."""
    page = story.visit()
    page.fill("#stop-reason", "A strange noise")
    page.get_by_role("button", name="Stop the model").click()
    story.done("The model decides nothing from the next item on")
    answer = story.post("ok", 14)
    assert (answer["status"], answer["reason"], answer["prediction"]) == ("referred", "human_only", None)
    console = story.console
    console.page.clock.fast_forward(5_000)
    for _ in range(2):  # the two that were drawn before it
        assert console.judge("1") != answer["id"]
    assert console.judge("1") == answer["id"]
    console.saved()
    assert story.camera.item(answer["id"])["decided_by"] == "person"


def the_history_tells_it_and_one_step_leads_back(story: Story, line: Line) -> None:
    """Who, when and why; and back to what was in force before."""
    page = story.visit("policies/")
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(4)
    for place, words in enumerate(
        [("A strange noise", "Human only"), ("Look at everything", "100 %"), ("It agrees", "Partial")]
    ):
        for text in (*words, "max"):
            expect(rows.nth(place)).to_contain_text(text)
        expect(rows.nth(place).locator("time[datetime]")).to_be_attached()
    page.fill("#reason", "It was the wind")
    page.get_by_role("button", name="Back to version 3").click()
    story.done("Version 5 is in force: it restores version 3")
    expect(rows.first).to_contain_text("It was the wind")
    policy = active_policy(line)
    assert (policy.mode, policy.thresholds, policy.audit_rate) == ("partial", {"ok": 0.5, "scratch": 0.5}, 1.0)
    assert story.post("ok", 15)["decided_by"] == "model"
