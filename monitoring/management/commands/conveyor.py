"""The demo's conveyor belt."""

from __future__ import annotations

import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError

from monitoring.demo.conveyor import Camera, Setting, first_seed, phones_from, remember, setting_of
from monitoring.demo.token import demo_token
from policies.models import Line


class Command(BaseCommand):
    """Post rendered phones to a running Sluice."""

    # The checks would load every address of the product, and the model's libraries with them.
    requires_system_checks: list[str] = []
    help = "Run the demo conveyor: `conveyor phones --rate 2 --defects 0.1`. With --follow, the manager's switch rules it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the belt carries, and where to."""
        parser.add_argument("line", nargs="?", default="phones")
        parser.add_argument("--rate", type=float, default=1.0, help="Phones a second.")
        parser.add_argument("--defects", type=float, default=0.1, help="Share of phones with a defect, 0 to 1.")
        parser.add_argument("--darker", type=float, default=1.0, help="Share of the normal light, 0.1 to 1.")
        parser.add_argument("--count", type=int, default=0, help="Stop after so many; 0 goes on until Ctrl-C.")
        parser.add_argument("--seed", type=int, help="First phone; the same seed renders the same phones.")
        parser.add_argument("--follow", action="store_true", help="Obey the switch on the line's page.")
        parser.add_argument("--url", default=os.environ.get("SLUICE_URL", "http://localhost:8000"))
        parser.add_argument("--token", default=os.environ.get("SLUICE_TOKEN", ""))

    def handle(self, *args: Any, **options: Any) -> None:
        """Post until told to stop."""
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        if not 0 < options["rate"] <= 50 or not 0 <= options["defects"] <= 1 or not 0.1 <= options["darker"] <= 1:
            raise CommandError("--rate is above 0 and at most 50, --defects between 0 and 1, --darker between 0.1 and 1.")
        line = Line.objects.filter(slug=options["line"]).first()
        token = options["token"] or demo_token()
        if line is None or not token:
            raise CommandError("There is no such line, or no token; `manage.py demo` makes both.")
        camera = Camera(options["url"], token, line.slug)
        seed = first_seed() if options["seed"] is None else options["seed"]
        try:
            self._run(camera, seed, self._setting(line, options), options["count"])
        except KeyboardInterrupt:
            self.stdout.write("The conveyor stops.")
        finally:
            camera.close()

    def _run(self, camera: Camera, seed: int, setting: Callable[[], Setting | None], count: int) -> None:
        for number, phone in enumerate(phones_from(seed, setting), start=1):
            try:
                answer = camera.post(phone)
            except httpx.HTTPError as error:
                self.stderr.write(f"The phone {phone.serial} was not taken: {error}")
                time.sleep(1)
                continue
            remember(answer["id"], phone)
            if count:
                self.stdout.write(f"{phone.serial} {phone.truth}: {answer['status']} {answer['decision'] or answer['reason']}")
            if number == count:
                return

    def _setting(self, line: Line, options: dict[str, Any]) -> Callable[[], Setting | None]:
        if options["follow"]:
            return lambda: setting_of(line)
        fixed = Setting(options["rate"], options["defects"], options["darker"])
        return lambda: fixed
