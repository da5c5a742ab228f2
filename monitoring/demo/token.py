"""Where the demo keeps its API token: the database has just its hash."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def token_path() -> Path:
    """Return the file, which only this user can read."""
    return Path(settings.VAR_DIR) / "demo_token"


def demo_token() -> str:
    """Return the kept token, or nothing where the demo was not set up."""
    path = token_path()
    return path.read_text().strip() if path.exists() else ""
