"""The whole of it, from the camera's post to the alarm's page, with a stand-in for the model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from gateway.models import Item, Referral
from monitoring import tasks
from monitoring.models import Alarm, Recall
from policies.changes import active_policy
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review import claims
from review.answers import Answer
from review.judging import judge
from tests.conftest import Model, uuid_of
from tests.monitoring.guarded import limit

Dial = Callable[..., PolicyVersion]
Post = Callable[..., dict[str, Any]]


def test_audits_judged_wrong_take_the_automation_back(
    line: Line, model: Model, dial: Dial, post: Post, ines: User, manager: Client, now: datetime
) -> None:
    """A line in partial passes what people, asked blind, call dents: until the guardrail has seen enough."""
    limit(line, epsilon=0.05)
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.0)
    unaudited = uuid_of(post(seed=100))
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=1.0)
    audits = 0
    while active_policy(line).mode == Mode.PARTIAL:
        answer = post(seed=audits)
        assert (answer["status"], answer["decision"]) == ("decided", "ok")
        # The decision stands while its audit is open, and an open audit is no evidence.
        tasks.watch_guardrails()
        assert active_policy(line).mode == Mode.PARTIAL
        (claim,) = claims.take(line, ines, want=1, now=timezone.now())
        judge(ines, claim.pk, Answer("dent"), idempotency_key=f"audit-{audits}", now=timezone.now())
        audits += 1
        tasks.watch_guardrails()
        tasks.open_recalls()
        assert audits < 10

    # From the next item on a person decides.
    after = post(seed=50)
    assert after["status"] == "referred"
    assert Referral.objects.get(item=uuid_of(after)).reason == "audit"
    assert active_policy(line).mode == Mode.ASSIST

    # Each error opened one recall, however often the clock ticks.
    tasks.open_recalls()
    tasks.watch_guardrails()
    assert Recall.objects.count() == audits
    assert Alarm.objects.count() == 1

    home = manager.get("/").text
    assert "turned <strong>Phones</strong> down from Partial to AI assist" in home
    page = manager.get(f"/alarms/{Alarm.objects.get().pk}/").text
    assert f"{audits} escapes in {audits} audits, limit 5 %" in page
    assert page.count("/thumbnail") == audits

    # The item that nobody audited is what the first recall offers; one press, and people look at it blind.
    recall = Recall.objects.order_by("id").first()
    assert recall is not None
    assert str(unaudited) in manager.get(f"/recalls/{recall.pk}/").text
    manager.post(f"/recalls/{recall.pk}/send/", {"count": 1})
    (claim,) = claims.take(line, ines, want=1, now=timezone.now())
    assert (claim.referral.item_id, claim.referral.blind) == (unaudited, True)
    judge(ines, claim.pk, Answer("scratch"), idempotency_key="recalled", now=timezone.now())
    item = Item.objects.get(pk=unaudited)
    assert (item.answer, item.decided_by) == ("scratch", "person")
