"""What a program is told about a line's certificates."""

from __future__ import annotations

from datetime import datetime

from django.test import Client

from gateway import deployments
from gateway.models import Role
from gateway.tokens import create_token
from monitoring.certifying import certify_line
from policies.models import Line
from policies.promises import state_limits
from tests.conftest import version
from tests.monitoring.audit_rows import audit, scored

PATH = "/api/v1/lines/phones/certification"


def test_proof_and_shortage_are_told(line: Line, api: Client, now: datetime) -> None:
    champion = version()
    deployments.deploy(line, champion, Role.CHAMPION, by=None, reason="test", now=now)
    state_limits(line, {("ok", "escape"): 0.0005, ("ok", "overkill"): 0.05})
    audit(line, champion, now, *scored(800))
    found = certify_line(line, champion, by=None, now=now)
    answer = api.get(PATH).json()
    assert (answer["model"], answer["delta"], answer["audits"]) == (champion.name, 0.05, 800)
    assert (answer["thresholds"], answer["data_digest"]) == (found.thresholds, found.data_digest)
    short, proven = answer["limits"]
    assert (short["certified"], short["bound"], short["missing_audits"] > 100) == (False, None, True)
    row = found.certificates.get(form="overkill")
    assert (proven["label"], proven["n"], proven["k"], proven["bound"]) == ("ok", row.n, row.k, row.bound)


def test_a_line_without_anything_promises_nothing(line: Line, api: Client) -> None:
    answer = api.get(PATH).json()
    assert (answer["model"], answer["limits"], answer["thresholds"], answer["certified_at"]) == (None, [], {}, None)


def test_it_takes_the_scope(line: Line, now: datetime) -> None:
    _, secret = create_token("other", scopes=["labels:read"], line=None, by=None, now=now)
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get(PATH).status_code == 403
    assert Client().get(PATH).status_code == 401
