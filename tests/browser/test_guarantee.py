"""The manager's way in a browser: limits, proof, trial, request, approval, partial, alarm, demotion, recall."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from gateway import deployments, media
from gateway.models import Item, Referral
from gateway.roles import MANAGERS
from monitoring import tasks
from monitoring.models import Alarm, Recall
from policies.changes import active_policy
from policies.models import Certification, Line, PolicyVersion
from policies.modes import Mode
from review import claims
from review.answers import Answer
from review.judging import judge
from tests.browser.camera import Camera
from tests.conftest import Model, photo
from tests.monitoring.audit_rows import audit, scored

Dial = Callable[..., PolicyVersion]
# Audits before the limits are stated and after; the first are too few for any proof.
FEW, ENOUGH = 60, 800
# How sure the model is of what the camera posts: above any threshold that the audits certify here.
SURE = (0.999, 0.998, 0.9995, 0.9985)


@dataclass
class Way:
    """Who takes part."""

    line: Line
    camera: Camera
    model: Model
    ines: User
    page: Page
    second: Page
    home: str

    def visit(self, path: str = "", *, page: Page | None = None) -> Page:
        """Open a page of the line."""
        found = page or self.page
        found.goto(f"{self.home}lines/phones/{path}")
        return found

    def post(self, seed: int) -> dict[str, Any]:
        """Post a photo that the model is sure is fine, each time a little differently."""
        sure = SURE[seed % len(SURE)]
        self.model.says = {"ok": sure, "scratch": (1 - sure) * 0.75, "dent": (1 - sure) * 0.25}
        return self.camera(seed)

    def judged(self, answer: str, key: str) -> str:
        """Let Ines judge what waits next; return the item."""
        (claim,) = claims.take(self.line, self.ines, want=1, now=timezone.now())
        judge(self.ines, claim.pk, Answer(answer), idempotency_key=key, now=timezone.now())
        return str(claim.referral.item_id)

    def audits(self, n: int, seed: int) -> None:
        """Add items to the past that people judged blind, with a photo behind each."""
        digest = media.store(photo(1))
        champion = deployments.champion(self.line)
        assert champion is not None
        made = audit(self.line, champion, timezone.now(), *scored(n, seed))
        Item.objects.filter(pk__in=[item.pk for item in made]).update(media_digest=digest, width=48, height=32)


@pytest.fixture
def lena(db: None) -> User:
    """Another manager."""
    user = User.objects.create_user("lena", password="lena-password")
    user.groups.set([Group.objects.get_or_create(name=MANAGERS)[0]])
    return user


def test_the_managers_way(
    line: Line,
    model: Model,
    dial: Dial,
    camera: Camera,
    ines: User,
    max_: User,
    lena: User,
    page_of: Callable[..., Page],
    site: str,
    now: datetime,
) -> None:
    Line.objects.filter(pk=line.pk).update(approvals=1)
    dial(Mode.SHADOW)
    way = Way(line, camera, model, ines, page_of(max_), page_of(lena), f"{site}/")

    limits_say_what_is_missing(way)
    enough_audits_make_a_certificate(way)
    the_past_is_asked(way)
    a_second_manager_agrees(way)
    unaudited = [str(way.post(seed)["id"]) for seed in range(3)]
    dial(Mode.PARTIAL, audit_rate=1.0)  # everything is drawn from here on, and nothing else is different
    wrong = audited_errors_turn_the_dial_down(way)
    the_alarm_tells_the_story(way, wrong)
    the_others_are_sent_to_people(way, wrong[0], unaudited)
    the_report_has_it_all(way)


def limits_say_what_is_missing(way: Way) -> None:
    """Max states what may go wrong, and the page says how many more audits prove it."""
    way.audits(FEW, seed=2)
    page = way.visit("promises/")
    expect(page.locator("main")).to_contain_text("This line promises nothing yet")
    page.fill("[name=escape-ok]", "2")
    page.fill("[name=overkill-ok]", "5")
    page.get_by_role("button", name="State these limits").click()
    expect(page.locator(".messages")).to_contain_text("The limits are stated")
    row = page.locator("section[aria-labelledby=proof-title] tbody tr", has_text="Escape rate")
    expect(row).to_contain_text(re.compile(r"not certified\s+need \d+ more audited items"))
    missing = Certification.objects.get().certificates.get(form="escape").missing
    assert missing is not None and 0 < missing < ENOUGH
    expect(row).to_contain_text(f"need {missing} more audited items")
    expect(page.get_by_role("link", name="Use these thresholds")).to_have_count(0)


def enough_audits_make_a_certificate(way: Way) -> None:
    """The audits have come; one press, and the figures stand on the page."""
    way.audits(ENOUGH, seed=1)
    page = way.visit("promises/")
    expect(page.locator("main")).to_contain_text("older than the audits")
    page.get_by_role("button", name="Certify with today's audits").click()
    expect(page.locator(".messages")).to_contain_text("2 of 2 limits are certified")
    found = Certification.objects.latest("pk")
    assert found.audits == FEW + ENOUGH
    rows = page.locator("section[aria-labelledby=proof-title] tbody tr")
    for words, form in (("Escape rate", "escape"), ("Overkill rate", "overkill")):
        proof, cells = found.certificates.get(form=form), rows.filter(has_text=words).locator("td.num")
        assert proof.bound is not None and proof.bound <= proof.epsilon and proof.n > 100
        expect(cells.nth(1)).to_have_text(str(proof.k))
        expect(cells.nth(2)).to_have_text(str(proof.n))
        expect(cells.nth(3)).to_have_text(re.compile(r"^\d[\d.]* %$"))
        shown = float(cells.nth(3).inner_text().split()[0])
        assert shown == pytest.approx(100 * proof.bound, abs=0.06)


def the_past_is_asked(way: Way) -> None:
    """The certified thresholds over the line's past, beside what is in force; then Max asks for them."""
    page = way.page
    page.get_by_role("link", name="Use these thresholds").click()
    expect(page.locator("[data-trial] input[name=mode][value=partial]")).to_be_checked()
    table = page.locator("section[aria-labelledby=compare-title] table.comparison")
    for column in ("present", "draft"):
        expect(table.locator(f"th[data-column={column}]")).to_be_visible()
    alone = table.locator("tbody tr").first
    present, draft = alone.locator(".share-value").all_inner_texts()[:2]
    assert present != draft, "in shadow the model decides nothing alone"
    ask = page.locator("section[aria-labelledby=ask-title]")
    expect(ask).to_contain_text("certified thresholds")
    expect(ask).to_contain_text("1 other manager must agree")
    page.fill("#reason", "Proven on 860 audits")
    page.get_by_role("button", name="Ask for this change").click()
    expect(page.locator(".messages")).to_contain_text("waits until one more person agrees")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert active_policy(way.line).mode == Mode.SHADOW


def a_second_manager_agrees(way: Way) -> None:
    """Lena sees the proof that was frozen into the request, and agrees: from the next item on the model decides."""
    before = way.post(90)
    assert (before["status"], before["reason"]) == ("referred", "shadow")
    page = way.visit("requests/", page=way.second)
    page.locator("section[aria-labelledby=open-title] tbody th a").click()
    expect(page.locator("main")).to_contain_text("Proven on 860 audits")
    expect(page.locator("section[aria-labelledby=proof-title]")).to_contain_text("certified thresholds")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".messages")).to_contain_text("Version 3 is in force from the next item on")
    policy = active_policy(way.line)
    assert (policy.mode, policy.thresholds) == (Mode.PARTIAL, Certification.objects.latest("pk").thresholds)
    assert way.judged("ok", "from-shadow") == before["id"]


def audited_errors_turn_the_dial_down(way: Way) -> list[str]:
    """Blind checks find what the model passed; the clock looks; nobody touches the dial. Return the wrong ones."""
    page, wrong = way.visit(), list[str]()
    expect(page.locator("input[name=mode][value=partial]")).to_be_checked()
    while active_policy(way.line).mode == Mode.PARTIAL:
        answer = way.post(10 + len(wrong))
        assert (answer["decision"], answer["decided_by"]) == ("ok", "model")
        wrong.append(way.judged("dent", f"audit-{len(wrong)}"))
        assert wrong[-1] == answer["id"]
        tasks.watch_guardrails()
        assert len(wrong) < 10
    assert len(wrong) > 1, "one error is no evidence"
    tasks.open_recalls()
    # The page that stands open tells it without being asked again.
    expect(page.locator(".banners")).to_contain_text("turned Phones down from Partial to AI assist")
    way.visit()
    expect(page.locator("input[name=mode][value=assist]")).to_be_checked()
    after = way.post(50)
    assert (after["status"], after["decided_by"]) == ("referred", None)
    assert Referral.objects.filter(item=after["id"], state="open").count() == 1
    return wrong


def the_alarm_tells_the_story(way: Way, wrong: list[str]) -> None:
    """From the banner to the alarm: what was seen, what was done, which ones; once seen, the banner goes."""
    page = way.page
    page.locator(".banners").get_by_role("link", name="Look at it").click()
    story = f"{len(wrong)} escapes in {len(wrong)} audits, limit 2 %"
    expect(page.locator("section[aria-labelledby=alarm-title]")).to_contain_text(story)
    expect(page.locator("section[aria-labelledby=done-title]")).to_contain_text("AI assist in place of Partial")
    expect(page.locator("section[aria-labelledby=wrong-title] .item-grid li")).to_have_count(len(wrong))
    page.get_by_role("button", name="I have seen it").click()
    expect(page.locator(".messages")).to_contain_text("Noted")
    expect(page.locator(".banners .banner")).to_have_count(0)
    alarm = Alarm.objects.get()
    assert alarm.seen_by is not None and alarm.seen_by.username == "max"
    assert alarm.demoted_to == active_policy(way.line)


def the_others_are_sent_to_people(way: Way, first: str, unaudited: list[str]) -> None:
    """What the model passed and nobody looked at goes to people, blind, with one press."""
    page, recall = way.page, Recall.objects.get(item=UUID(first))
    page.locator(f"section[aria-labelledby=others-title] a[href='/recalls/{recall.pk}/']").click()
    siblings = page.locator("section[aria-labelledby=near-title] .item-grid a")
    expect(siblings).to_have_count(len(unaudited))
    page.get_by_role("button", name="Send to review").click()
    expect(page.locator(".messages")).to_contain_text(f"{len(unaudited)} items go to people")
    expect(page.locator("main")).to_contain_text("0 judged, 0 of them wrong")
    sent = Referral.objects.filter(reason="recall", state="open", blind=True).values_list("item_id", flat=True)
    assert sorted(str(item) for item in sent) == sorted(unaudited)
    assert {way.camera.item(item)["decision"] for item in unaudited} == {"ok"}, "until then decisions stand"


def the_report_has_it_all(way: Way) -> None:
    """The week's page, which a person signs: what happened, who asked for it, what is proven."""
    page = way.page
    page.goto(page.url.split("/recalls/")[0] + f"/lines/{way.line.slug}/report/?week={Alarm.objects.get().at:%G-W%V}")
    alarms = page.get_by_role("region", name="Alarms of the week")
    expect(alarms).to_contain_text("Partial → AI assist")
    expect(alarms).to_contain_text("max")
    expect(page.locator("main")).to_contain_text("lena")
