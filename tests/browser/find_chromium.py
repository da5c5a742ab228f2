"""Find a Chromium for the browser tests, or get one: what is there, else Debian's package, else Playwright's own build.

Run as a program before the tests; imported by them it only looks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 600


def find() -> str | None:
    """Return the path of a Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next(filter(None, map(shutil.which, NAMES)), None) or _of_playwright()


def _of_playwright() -> str | None:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    builds = sorted(folder.glob("chromium*-*/chrome*-linux*/*chrome*")) + sorted(folder.glob("chromium-*/chrome-mac*/*.app"))
    return next((str(build) for build in reversed(builds) if build.is_file() and os.access(build, os.X_OK)), None)


def install() -> None:
    """Try the ways to get one, in order, each said aloud."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("No Chromium found: installing Debian's package.", flush=True)  # noqa: T201
        _try(["apt-get", "update", "-qq"])
        _try(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
    if find() is None:
        print("Trying Playwright's own build.", flush=True)  # noqa: T201
        _try([sys.executable, "-m", "playwright", "install", "chromium"])


def _try(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, timeout=SECONDS, capture_output=True, text=True, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", flush=True)  # noqa: T201
        return
    if done.returncode:
        print(f"{' '.join(command)}: {done.stderr.strip()[-400:]}", flush=True)  # noqa: T201


if __name__ == "__main__":
    if find() is None:
        install()
    if find() is None:
        print("No Chromium could be had: the browser tests will be skipped, or fail where CI is set.")  # noqa: T201
