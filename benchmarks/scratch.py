"""A Sluice of its own for a measurement: settings, folder and database that go away afterwards."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path


def begin() -> None:
    """Point the settings at a new folder, load Django and make the tables. Call it before importing anything of the product."""
    folder = tempfile.mkdtemp(prefix="sluice-benchmark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["SLUICE_VAR"] = folder
    os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost")
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    # Training and measuring have the machine to themselves here.
    os.environ.setdefault("TORCH_THREADS", str(os.cpu_count() or 1))
    load()


def load(*, pages: bool = False) -> None:
    """Load Django as the environment says and make the tables; with `pages`, collect the files that pages name."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    import django
    from django.core.management import call_command

    # The pages' files are not collected here, and the server's middleware says so.
    warnings.filterwarnings("ignore", message="No directory at")
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    if pages:
        call_command("collectstatic", verbosity=0, interactive=False)
