"""Two people move the same request at the same moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from policies.changes import Draft, active_policy
from policies.errors import RequestMoved
from policies.models import Approval, ChangeRequest, Line, PolicyVersion
from policies.modes import Mode
from policies.requests import approve, due, renew, request_change, tick, withdraw
from tests.races import race

pytestmark = pytest.mark.usefixtures("file_database")

PARTIAL = Draft(Mode.PARTIAL, {"ok": 0.9}, audit_rate=0.1)


def asked(line: Line, by: User, now: datetime, approvals: int, **values: datetime) -> ChangeRequest:
    Line.objects.update(approvals=approvals)
    line.refresh_from_db()
    return request_change(line, PARTIAL, expected=1, by=by, reason="race", now=now, **values)


def test_of_two_approvals_at_once_one_applies_it(line: Line, ines: User, noor: User, max_: User, now: datetime) -> None:
    request = asked(line, ines, now, approvals=1)
    results = race(lambda: approve(request, by=noor, now=now), lambda: approve(request, by=max_, now=now))
    assert sorted(type(one).__name__ for one in results) == ["ChangeRequest", "RequestMoved"], results
    assert PolicyVersion.objects.count() == 2
    assert Approval.objects.count() == 1


def test_two_approvals_at_once_are_both_counted(line: Line, ines: User, noor: User, max_: User, now: datetime) -> None:
    request = asked(line, ines, now, approvals=2)
    results = race(lambda: approve(request, by=noor, now=now), lambda: approve(request, by=max_, now=now))
    assert sorted(one.state for one in results) == ["applied", "open"]
    assert active_policy(line).number == 2


def test_it_is_either_applied_or_withdrawn(line: Line, ines: User, now: datetime) -> None:
    at = now + timedelta(hours=1)
    request = asked(line, ines, now, approvals=0, apply_at=at)

    def scheduler() -> list[ChangeRequest | None]:
        return [tick(one, now=at) for one in due(now=at)]

    applied, withdrawn = race(scheduler, lambda: withdraw(request, by=ines, now=at))
    request.refresh_from_db()
    if isinstance(withdrawn, RequestMoved):
        assert (request.state, active_policy(line).number) == ("applied", 2)
    else:
        assert (request.state, active_policy(line).number) == ("withdrawn", 1)
        assert applied in ([], [None])


def test_it_is_renewed_once(line: Line, ines: User, noor: User, now: datetime) -> None:
    request = asked(line, ines, now, approvals=1, expires_at=now + timedelta(hours=1))
    later = now + timedelta(hours=2)
    tick(request, now=later)
    results = race(lambda: renew(request, by=ines, now=later), lambda: renew(request, by=noor, now=later))
    assert sorted(type(one).__name__ for one in results) == ["ChangeRequest", "RequestMoved"], results
    assert ChangeRequest.objects.filter(renews=request).count() == 1
