"""A line with a bit of everything on it, for tests of pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import deployments
from gateway.models import Role
from monitoring.models import Conveyor
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from review.models import TrainingRun
from tests.conftest import version
from tests.monitoring import rows


@pytest.fixture
def manager(login: Callable[[User], Client], max_: User) -> Client:
    """Max's browser."""
    return login(max_)


@pytest.fixture
def inspector(login: Callable[[User], Client], ines: User) -> Client:
    """Ines's browser."""
    return login(ines)


@pytest.fixture
def busy(line: Line, dial: Callable[..., PolicyVersion], ines: User, max_: User, now: datetime) -> Line:
    """The line in partial, with a champion, a candidate, items of every state, judgements and labels."""
    dial(Mode.PARTIAL, thresholds={"ok": 0.9}, audit_rate=0.1)
    champion, candidate = version(), version("inspection-test-2")
    deployments.deploy(line, champion, Role.CHAMPION, by=max_, reason="First", now=now)
    TrainingRun.objects.create(
        line=line, state="done", progress=1, reason="More labels", model_version=candidate, created_at=now, ended_at=now
    )
    Conveyor.objects.create(line=line, heartbeat_at=now)
    more(line, ines, now)
    return line


def more(line: Line, reviewer: User, now: datetime) -> None:
    """Add an automated and audited item, a judged one, a waiting one and a held one."""
    champion = version_in_service(line)
    audited = rows.automated(line, now, "ok", in_audit=True)
    rows.prediction(audited, "ok", 0.95, champion)
    rows.judgement(rows.referral(audited, now, reason="audit", state="settled"), reviewer, "ok", now)
    rows.label(audited, "ok", now)
    judged = rows.item(line, now, reason="uncertain", state="decided", answer="scratch", decided_by="person", decided_at=now)
    rows.prediction(judged, "scratch", 0.6, champion)
    asked = rows.referral(judged, now, blind=False, state="settled", settled_at=now)
    rows.judgement(asked, reviewer, "scratch", now)
    rows.label(judged, "scratch", now, blind=False)
    waiting = rows.item(line, now, reason="uncertain")
    rows.prediction(waiting, "dent", 0.5, champion)
    rows.referral(waiting, now, blind=False)
    rows.known(rows.item(line, now, state="held"), "ok")


def version_in_service(line: Line):  # type: ignore[no-untyped-def]
    """Return the champion."""
    return deployments.champion(line)
