"""Everything a newcomer needs, in one command."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from monitoring.demo import seeding
from monitoring.demo.token import demo_token


class Command(BaseCommand):
    """Migrate, set up the demo, run."""

    help = "Set up the database and the demo where needed, then run everything in the foreground."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is left to do and serve."""
        call_command("migrate", verbosity=0, interactive=False)
        self._collect()
        call_command("demo")
        banner = self._banner(f"http://localhost:{options['port']}", demo_token())
        call_command("serve", host=options["host"], port=options["port"], with_conveyor=True, banner=banner)

    def _collect(self) -> None:
        """Collect the pages' files where one is new: hashing and packing them all takes seconds at every start otherwise."""
        stamp = settings.VAR_DIR / "static.stamp"
        files = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
        state = f"{len(files)} {max(os.stat(path).st_mtime for path in files)}"
        if not stamp.exists() or stamp.read_text() != state:
            call_command("collectstatic", verbosity=0, interactive=False)
            stamp.write_text(state)

    def _banner(self, url: str, token: str) -> str:
        people = "\n".join(
            f"    {name:<6} password {seeding.password_of(name):<12} {group[:-1]}" for name, group in seeding.PEOPLE.items()
        )
        slug = seeding.SLUG
        return f"""
  Sluice is ready. Ctrl-C stops everything.

    {url}/                          start here
    {url}/lines/{slug}/             the manager's control room
    {url}/lines/{slug}/console/     the inspector's console
    {url}/api/docs/                 the API

{people}

  Send a photo:
    curl -H "Authorization: Bearer {token}" -H "Content-Type: image/jpeg" \\
         --data-binary @photo.jpg {url}/api/v1/lines/{slug}/items

SLUICE_URL={url}
SLUICE_TOKEN={token}
"""
