"""A whole Sluice in processes: broker, web server, worker, a model elsewhere, a line in partial, its people and a webhook."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from faulty import model_server
from faulty.ledger import Ledger
from faulty.people import Crowd
from faulty.processes import HOST, Process, answers, free_port
from faulty.receiver import Receiver

from gateway.management.commands import serve
from gateway.models import Event, Referral, ReferralState, Role
from gateway.roles import INSPECTORS
from gateway.tokens import SCOPES, create_token
from gateway.webhooks.endpoints import create_endpoint
from gateway.webhooks.models import Delivery
from gateway.webhooks.types import TYPE_OF, TYPES
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode

LINE = "phones"
HERE = Path(__file__).resolve().parent


class Town:
    """Everything that runs. `start` begins it, `close` ends it."""

    def __init__(self) -> None:
        self.folder = Path(settings.VAR_DIR)
        self.port, self.model_port = free_port(), free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.ledger, self.receiver = Ledger(), Receiver()
        environment = serve._environment(self.url)
        commands = dict(serve._commands(HOST, self.port, with_conveyor=False))
        broker = [sys.executable, "-m", "gateway.broker", str(settings.EMBEDDED_BROKER_SOCKET), str(self.folder / "broker")]
        model = [sys.executable, str(HERE / "model_server.py"), str(self.model_port)]
        self.broker = self._process("broker", broker, environment, _broker_answers)
        self.web = self._process("web", commands["web"], environment, answers(f"{self.url}/readyz"))
        self.worker = self._process("worker", commands["worker"], environment, None)
        self.model = self._process("model", model, environment, answers(f"http://{HOST}:{self.model_port}/v2/health/ready"))
        self.line, self.secret, self.inspectors = self._furnish()
        self.crowd = Crowd(self.url, self.secret, self.ledger, LINE)

    def start(self, cameras: int = 3) -> None:
        """Start every process, make the line's model its champion, and send people and cameras to work."""
        call_command("collectstatic", verbosity=0, interactive=False)
        for process in (self.broker, self.model):
            process.start()
        self._deploy()
        for process in (self.web, self.worker):
            process.start()
        self.crowd.begin(cameras, self.inspectors)

    def close(self) -> None:
        """End everything."""
        self.crowd.go_home()
        for process in (self.web, self.worker, self.model, self.broker):
            with suppress(ProcessLookupError):
                process.stop()
        self.receiver.close()

    def _process(self, name: str, command: list[str], environment: dict[str, str], ready: object) -> Process:
        log = self.folder / f"{name}.log"
        return Process(name, command, environment=environment, folder=Path(settings.BASE_DIR), ready=ready, log=log)  # type: ignore[arg-type]

    def _furnish(self) -> tuple[Line, str, dict[str, str]]:
        now = timezone.now()
        classes = [ClassDraft("ok", "Ok"), ClassDraft("dent", "Dent")]
        draft = Draft(Mode.PARTIAL, thresholds={"ok": 0.9, "dent": 0.9}, audit_rate=0.2)
        line = create_line(LINE, "Phones", "Is there a dent?", classes, draft, now=now, unique_external_ids=True)
        _, secret = create_token("camera", scopes=list(SCOPES), line=line, by=None, now=now)
        return line, secret, {name: _session(name) for name in ("ines", "noor")}

    def check(self) -> None:
        """Nothing may end that nobody killed: `serve` would end with it."""
        for process in (self.web, self.worker, self.model, self.broker):
            if ended := process.ended():
                raise SystemExit(ended)

    def settle(self, seconds: float, say: Callable[[int, int], object]) -> list[str]:
        """Let the queue run empty and the webhooks arrive; return the events that nobody was told about, and why.

        `say` is told again and again how many referrals are open and how many events are untold.
        """
        self.crowd.close_the_door()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            waiting, untold = self._waiting(), self._untold()
            say(waiting, len(untold))
            if not waiting and not untold:
                break
            time.sleep(0.5)
        untold = self._untold()
        why = {one.event_id: one for one in Delivery.objects.filter(event__in=untold)}
        return [f"event {pk}, {self._why(why.get(pk))}" for pk in sorted(untold)]

    def _why(self, delivery: Delivery | None) -> str:
        if delivery is None:
            return "no delivery was made for it"
        return f"{delivery.state} after {delivery.attempts} attempts, due {delivery.next_at}, {delivery.last_error}"

    def _waiting(self) -> int:
        return Referral.objects.filter(state=ReferralState.OPEN).count()

    def _untold(self) -> set[int]:
        told = Event.objects.filter(line=self.line, kind__in=TYPE_OF, pk__gt=self._subscribed)
        return set(told.values_list("pk", flat=True)) - self.receiver.received.keys()

    def _deploy(self) -> None:
        """Put the model elsewhere into production, and subscribe the receiver to everything."""
        url = f"http://{HOST}:{self.model_port}"
        tensors = {"height": model_server.SIDE, "width": model_server.SIDE, "binary": False}
        options = {"classes": "ok,dent", "line": LINE, "role": Role.CHAMPION.value, **tensors}
        call_command("remote_model", "add", url, model_server.NAME, **options, stdout=io.StringIO())
        endpoint = create_endpoint("town", self.receiver.url, types=list(TYPES), line=self.line, by=None, now=timezone.now())
        self._subscribed = endpoint.position


def _session(name: str) -> str:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get_or_create(name=INSPECTORS)[0])
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def _broker_answers() -> bool:
    try:
        with redis.Redis(unix_socket_path=str(settings.EMBEDDED_BROKER_SOCKET), socket_timeout=1) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
