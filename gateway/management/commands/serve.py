"""Everything that runs, as one foreground command: broker, web server, worker. Ctrl-C stops all of it."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gateway import metrics_files
from gateway.log_printer import JsonPrinter
from gateway.stopping import GentleManager

READY_SECONDS = 120
PARTS = ("web", "worker", "beat")


class Command(BaseCommand):
    """Start the service."""

    help = "Run the web server, the background worker and, without REDIS_URL, an embedded broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, and what to say when it is ready."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--with-conveyor", action="store_true", help="Also run the demo's camera, which the manager starts."
        )
        parser.add_argument("--banner", default="", help="Text to print when the service answers.")
        parser.add_argument("--only", choices=PARTS, help="One part alone, where the parts run apart; needs a REDIS_URL.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes or one of the processes ends."""
        host, port, only = options["host"], options["port"], options["only"]
        if only and not settings.REDIS_URL:
            raise CommandError("Parts that run apart meet at a broker: set REDIS_URL.")
        url = f"http://{'localhost' if host in {'127.0.0.1', '0.0.0.0'} else host}:{port}"  # noqa: S104 (compared, not bound)
        if only in {None, "web"}:
            _check_port(host, port)
        marker = _stopping_file()
        environment = _environment(url) | {"STOPPING_FILE": str(marker)} | metrics_files.environment()
        printer = JsonPrinter(sys.stdout) if settings.LOG_FORMAT == "json" else None
        drain, patience = settings.DRAIN_SECONDS, settings.SHUTDOWN_SECONDS
        manager = GentleManager(marker=marker, drain=drain, patience=patience, printer=printer)
        commands = _commands(host, port, with_conveyor=options["with_conveyor"])
        for name, command in [(only, _part(only, host, port))] if only else commands:
            # What PostgreSQL shows as the name of the connection.
            named = {"PGAPPNAME": f"sluice-{name}"}
            manager.add_process(name, shlex.join(command), env=environment | named, cwd=str(settings.BASE_DIR))
        if only in {None, "web"}:
            threading.Thread(target=self._announce, args=(url, options["banner"]), daemon=True).start()
        try:
            with _broker():
                manager.loop()
        finally:
            marker.unlink(missing_ok=True)
        sys.exit(0 if manager.returncode in {0, 130, 143} else manager.returncode)

    def _announce(self, url: str, banner: str) -> None:
        """Print the banner once the service answers."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 (our own address)
                    break
            except OSError:
                time.sleep(0.2)
        else:
            self.stderr.write(f"The service did not answer at {url} within {READY_SECONDS} seconds.")
            return
        self.stdout.write(banner or f"SLUICE_URL={url}")
        self.stdout.flush()


def _environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "SLUICE_URL": url,
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(settings.TORCH_THREADS),
        # In a container everything runs as root; Celery's seven lines about it would hide the banner.
        "PYTHONWARNINGS": "ignore::UserWarning:celery.platforms",
    }


def _stopping_file() -> Path:
    """Return a name that no other run has, dead ones included, so that a leftover stops nobody."""
    folder = settings.EMBEDDED_BROKER_SOCKET.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(folder / f"stopping-{os.getpid()}-{time.time_ns()}")


def _commands(host: str, port: int, *, with_conveyor: bool) -> Iterator[tuple[str, list[str]]]:
    yield "web", _part("web", host, port)
    yield "worker", [*_part("worker", host, port), "--beat", "--schedule", str(settings.VAR_DIR / "beat")]
    if with_conveyor:
        yield "conveyor", [sys.executable, str(settings.BASE_DIR / "manage.py"), "conveyor", "--follow"]


def _part(name: str, host: str, port: int) -> list[str]:
    """Return the command of one part; a worker without the clock, of which there may be only one."""
    celery = [str(Path(sys.executable).parent / "celery"), "--quiet", "--app", "gateway"]
    if name == "beat":
        return [*celery, "beat", "--schedule", str(settings.VAR_DIR / "beat"), "--loglevel", "warning"]
    if name == "worker":
        # Threads, so that a long training does not keep short tasks waiting and torch is loaded once.
        # Nice, because a camera at the door must not wait for it.
        return [
            "nice", "-n", "10", *celery, "worker", "--pool", "threads", "--concurrency", "4",
            "--loglevel", "warning", "--without-gossip", "--without-mingle",
        ]  # fmt: skip
    threads = settings.WEB_THREADS
    # One process unless told otherwise: the micro-batcher joins what meets in it, and SQLite has one writer at a time.
    return [
        str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(settings.WEB_WORKERS), "--blocking-threads", str(threads),
        "--backpressure", str(settings.WEB_CONNECTIONS), "--no-ws", "--http", "1", "--log-level", "error",
        "--workers-kill-timeout", str(settings.SHUTDOWN_SECONDS), "gateway.wsgi:application",
    ]  # fmt: skip


@contextmanager
def _broker() -> Iterator[None]:
    """Keep the embedded broker alive around the others: it starts before them and stops after them."""
    if settings.REDIS_URL or _answers():
        yield
        return
    # A session of its own: Ctrl-C in the terminal must not reach it before the worker has ended.
    socket_path, folder = settings.EMBEDDED_BROKER_SOCKET, settings.VAR_DIR / "broker"
    command = [sys.executable, "-m", "gateway.broker", str(socket_path), str(folder)]
    process = subprocess.Popen(command, start_new_session=True, cwd=settings.BASE_DIR)  # noqa: S603 (our own command)
    try:
        deadline = time.monotonic() + 20
        while not _answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CommandError(f"The embedded broker did not start; see {settings.VAR_DIR / 'broker' / 'valkey.log'}.")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _answers() -> bool:
    try:
        with redis.Redis(unix_socket_path=str(settings.EMBEDDED_BROKER_SOCKET), socket_timeout=1) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}); choose another: PORT=8080."
            ) from error
