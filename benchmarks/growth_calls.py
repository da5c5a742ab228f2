"""One side of `growth.py`: a process on one database that makes the calls it is told to, and says how long each took."""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from gateway.models import Item
from gateway.tokens import SCOPES, create_token
from gateway.webhooks.horizon import last_seen
from inference.models import ModelVersion
from monitoring import guarding
from monitoring.models import Summed
from monitoring.summing import sum_up
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode
from review import claims

LINE, EMPTY = "/lines/phones", "/api/v1/lines/doors"
API = "/api/v1/lines/phones"
# Pages that ask for one address; the others are made by methods of Calls.
PAGES = {
    "home": "/",
    "line (manager)": f"{LINE}/",
    "line, 14 days": f"{LINE}/?window=14d",
    "queue": f"{LINE}/queue/",
    "flow": f"{LINE}/flow/",
    "items, first page": f"{LINE}/items/",
    "items, by state": f"{LINE}/items/?state=held",
    "items, by answer": f"{LINE}/items/?answer=dent",
    "items, by route": f"{LINE}/items/?route=refer",
    "items, by reason": f"{LINE}/items/?reason=appeal",
    "items, by who": f"{LINE}/items/?decided_by=fail_safe",
    "items, by three": f"{LINE}/items/?answer=dent&reason=uncertain&decided_by=model",
    "items, by external id": f"{LINE}/items/?external_id=SN-000000007",
    "models": f"{LINE}/models/",
    "promises": f"{LINE}/promises/",
    "guardrails": f"{LINE}/guardrails/",
    "bias": f"{LINE}/bias/",
    "report": f"{LINE}/report/",
    "what if": f"{LINE}/what-if/",
}  # fmt: skip
API_PAGES = {
    "API items": f"{API}/items",
    "API items, by reason": f"{API}/items?reason=appeal",
    "label feed, start": f"{API}/labels?limit=100",
}


class Calls:
    """The calls, each returning the milliseconds that it took: by the clock, and of this process's processor."""

    def __init__(self) -> None:
        self._manager, self._inspector, self._camera = Client(), Client(), Client()
        self._manager.force_login(User.objects.get(username="manager"))
        self.person = User.objects.get(username="inspector-1")
        self._inspector.force_login(self.person)
        _, secret = create_token(f"growth-{uuid.uuid4()}", scopes=list(SCOPES), line=None, by=None, now=timezone.now())
        self._camera = Client(headers={"Authorization": f"Bearer {secret}"})
        self.line = Line.objects.get(slug="phones")
        self._claim = self._judgement = 0
        self._photo = _photo()
        _line_without_model()

    def make(self, name: str) -> tuple[float, float]:
        """Make the call of that name."""
        return _timed(self._of(name))

    def statements(self, name: str) -> list[tuple[float, str]]:
        """Return the statements of the call with the milliseconds of each, slowest first."""
        self.make(name)
        with CaptureQueriesContext(connection) as found:
            self.make(name)
        return sorted(((float(one["time"]) * 1000, one["sql"]) for one in found.captured_queries), reverse=True)

    def names(self) -> Iterator[str]:
        """Yield the names of all calls, the loop of a reviewer in its order."""
        yield from ("next", "judge", "revise", "last answers", "recent", "heartbeat")
        yield from PAGES
        yield from API_PAGES
        yield from ("items, deep", "items, inspector", "API items, until", "label feed, end", "model", "item", "post", "watch")

    def _of(self, name: str) -> Callable[[], Any]:
        if name in PAGES:
            return lambda: _ok(self._manager.get(PAGES[name]))
        if name in API_PAGES:
            return lambda: _ok(self._camera.get(API_PAGES[name]))
        made: Callable[[], Callable[[], Any]] = getattr(self, "_" + name.replace(", ", "_").replace(" ", "_"))
        return made()

    def _next(self) -> Callable[[], Any]:
        claims.leave_page(self.person, now=timezone.now())

        def call() -> None:
            self._claim = self._post(f"{LINE}/console/next", {"want": 1})["cards"][0]["claim"]

        return call

    def _judge(self) -> Callable[[], Any]:
        claim = self._claim

        def call() -> None:
            self._judgement = self._post(f"/console/claims/{claim}/judge", {"answer": "ok", "active_ms": 900})["judgement"]

        return call

    def _revise(self) -> Callable[[], Any]:
        address = f"/console/judgements/{self._judgement}/revise"
        return lambda: self._post(address, {"answer": "dent", "active_ms": 900})

    def _last_answers(self) -> Callable[[], Any]:
        return lambda: _ok(self._inspector.get(f"{LINE}/console/last"))

    def _recent(self) -> Callable[[], Any]:
        return lambda: _ok(self._inspector.get("/recent/"))

    def _heartbeat(self) -> Callable[[], Any]:
        return lambda: self._post("/console/heartbeat", {"claims": [self._claim]})

    def _items_deep(self) -> Callable[[], Any]:
        before = Item.objects.filter(line=self.line).order_by("id").values_list("pk", flat=True)[200]
        return lambda: _ok(self._manager.get(f"{LINE}/items/?before={before}"))

    def _items_inspector(self) -> Callable[[], Any]:
        return lambda: _ok(self._inspector.get(f"{LINE}/items/"))

    def _API_items_until(self) -> Callable[[], Any]:  # noqa: N802 (named like the call)
        first = Item.objects.filter(line=self.line).order_by("received_at").values_list("received_at", flat=True)[200]
        until = f"{first + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
        return lambda: _ok(self._camera.get(f"{API}/items?until={until}"))

    def _label_feed_end(self) -> Callable[[], Any]:
        last = self.line.label_feed.last_sequence
        return lambda: _ok(self._camera.get(f"{API}/labels?limit=100&after={max(0, last - 100)}"))

    def _model(self) -> Callable[[], Any]:
        name = ModelVersion.objects.earliest("id").name
        return lambda: _ok(self._manager.get(f"{LINE}/models/{name}/"))

    def _item(self) -> Callable[[], Any]:
        item = Item.objects.filter(line=self.line).order_by("-id").values_list("pk", flat=True)[5]
        return lambda: _ok(self._manager.get(f"/items/{item}/"))

    def _post_one(self) -> None:
        _ok(self._camera.post(f"{EMPTY}/items", self._photo + uuid.uuid4().bytes, content_type="image/jpeg"))

    def _post(self, address: str = "", body: Any = None) -> Any:
        if not address:
            return self._post_one
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return _ok(self._inspector.post(address, json.dumps(body), content_type="application/json", headers=headers)).json()

    def _watch(self) -> Callable[[], Any]:
        return lambda: guarding.watch(self.line, now=timezone.now())


def serve(*, sums: bool) -> None:
    """Make the calls that come in, a JSON line each with a name and how often, and answer with a JSON line each."""
    calls = Calls()
    Summed.objects.all().delete()
    # As the worker does every ten seconds.
    while sums and any(sum_up(line, event=last_seen(), now=timezone.now()) for line in Line.objects.all()):
        pass
    sys.stdout.write(json.dumps(list(calls.names())) + "\n")
    sys.stdout.flush()
    for text in sys.stdin:
        order = json.loads(text)
        found: Any = (
            calls.statements(order["name"])[: order["statements"]]
            if order.get("statements")
            else [[calls.make(name) for name in order["names"]] for _ in range(order["times"])]
        )
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _timed(call: Callable[[], Any]) -> tuple[float, float]:
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - clock) * 1000, (time.process_time() - processor) * 1000


def _ok(response: Any) -> Any:
    if response.status_code >= 300:
        raise SystemExit(f"{response.request['PATH_INFO']}: {response.status_code} {response.content[:300]!r}")
    return response


def _photo() -> bytes:
    """Return a small photo; what comes behind its end makes each post another one."""
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


def _line_without_model() -> None:
    """Make the line that takes single posts, on which no model runs."""
    if not Line.objects.filter(slug="doors").exists():
        drafts = [ClassDraft(key, key.capitalize()) for key in ("ok", "dent")]
        policy = Draft(Mode.HUMAN_ONLY, audit_rate=0.0)
        create_line("doors", "Doors", "Is there a defect?", drafts, policy, now=timezone.now())
